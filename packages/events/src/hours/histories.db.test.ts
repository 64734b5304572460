import { HISTORY_STEP_MS, type HistoryResult, type HoursNeed, type MetricQuery } from '@tocsin/domain';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareAll, seriesOf } from '../../test/hours-scene.ts';
import { COUNT, HOUR, minuteClock, MINUTE, NEVER, openStore } from '../../test/open-store.ts';
import type { EventStore } from '../event-store.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

const clock = minuteClock();
const toMs = Math.floor(clock.now() / HOUR) * HOUR - HOUR;
const fromMs = toMs - 6 * HOUR;

const P95: MetricQuery = {
  ...COUNT,
  subject: { kind: 'measure', measures: ['ms'], orSumOf: [] },
  aggregation: 'p95',
  groupBy: ['model'],
  windowMs: 20 * MINUTE,
};
const QUERIES: readonly MetricQuery[] = [
  P95,
  { ...COUNT, windowMs: 6 * HOUR },
  { ...P95, aggregation: 'sum', windowMs: 7 * HOUR + MINUTE },
];
const needs: readonly HoursNeed[] = QUERIES.map((query) => ({ kind: 'history', query, lookbackMs: 9 * HOUR }));

async function fill(store: EventStore, tenantId: string, count: number, from = fromMs - 9 * HOUR): Promise<void> {
  await store.ingest(
    tenantId,
    Array.from({ length: count }, (_, n) => ({
      ts: from + Math.floor(((toMs - from) * (n + 0.5)) / count),
      name: 'call',
      dims: { model: n % 3 === 0 ? 'a' : 'b' },
      measures: { ms: (n * 37) % 1_000 },
    })),
  );
}

async function pastOf(store: EventStore, tenantId: string, options: { compute?: boolean } = {}): Promise<HistoryResult[]> {
  const queries = QUERIES.map((query) => ({ query, fromMs, toMs }));
  return (await store.history([{ tenantId, queries }], NEVER, options))[0]!;
}

/** Every value of the past is what the source answers for that window. */
async function expectAsRead(store: EventStore, tenantId: string, results: readonly HistoryResult[]): Promise<void> {
  for (const [place, query] of QUERIES.entries()) {
    const result = results[place]!;
    if (result.kind !== 'history') throw new Error(JSON.stringify(result));
    const step = query.windowMs > 6 * HOUR ? HOUR : HISTORY_STEP_MS;
    const told = new Map(result.series.map(({ labels, values, samples }) => [JSON.stringify(labels), { values, samples }]));
    let count = 0;
    const ends = Array.from({ length: (toMs - fromMs) / step }, (_, n) => fromMs + (n + 1) * step);
    const [read] = await store.source.read([{ tenantId, queries: ends.map((endMs) => ({ query, endMs })) }], NEVER);
    for (const [n, endMs] of ends.entries()) {
      const at = (endMs - fromMs) / HISTORY_STEP_MS - 1;
      for (const { labels, value, samples } of seriesOf(read![n]!).values()) {
        const series = told.get(JSON.stringify(labels))!;
        expect([series.values[at], series.samples[at]]).toEqual([value ?? NaN, samples]);
        if (samples > 0) count += 1;
      }
    }
    expect(result.series.reduce((sum, { samples }) => sum + samples.filter((each) => each > 0).length, 0)).toBe(count);
    expect(count).toBeGreaterThan(5);
  }
}

test('the past is warming until it is prepared, then what the source answers for the same windows, and follows late events', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await fill(store, tenantId, 200);
  expect(await pastOf(store, tenantId)).toEqual(QUERIES.map(() => ({ kind: 'warming', missingHours: 6 })));
  await prepareAll(store, tenantId, needs);
  await expectAsRead(store, tenantId, await pastOf(store, tenantId));
  const warm = await pastOf(store, tenantId);
  expect(await pastOf(store, tenantId), 'kept as it is').toEqual(warm);
  expect((await pastOf(store, tenantId))[0]).toBe(warm[0]);

  await fill(store, tenantId, 40);
  expect(await pastOf(store, tenantId)).toContainEqual({ kind: 'warming', missingHours: 6 });
  await prepareAll(openStore(database.db, { clock }), tenantId, needs);
  await expectAsRead(store, tenantId, await pastOf(store, tenantId));
});

test('what nobody has prepared is worked out for who asks for that, and is the same', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await fill(store, tenantId, 60);
  const computed = await pastOf(store, tenantId, { compute: true });
  await prepareAll(store, tenantId, needs);
  const prepared = await pastOf(openStore(database.db, { clock }), tenantId);
  const sorted = (results: HistoryResult[]) =>
    results.map(
      (result) =>
        result.kind === 'history' && result.series.toSorted((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1)),
    );
  expect(sorted(computed)).toEqual(sorted(prepared));
});

test('an hour that is over and not closed yet is told as it is now', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  const hour = Math.floor(clock.now() / HOUR) * HOUR;
  const past = async () => {
    const [[result]] = (await store.history([{ tenantId, queries: [{ query: COUNT, fromMs: hour - HOUR, toMs: hour }] }], NEVER)) as [
      [HistoryResult],
    ];
    return result.kind === 'history' ? result.series[0]!.values.at(-1) : result.kind;
  };
  expect(await past()).toBe(0);
  await store.ingest(tenantId, [{ ts: hour - 1, name: 'call' }]);
  expect(await past()).toBe(1);
});

test('another tenant’s past is not seen, and a tenant’s own is prepared without it', async () => {
  const [{ tenantId }, other] = await Promise.all([makeTenant(database.db), makeTenant(database.db)]);
  const store = openStore(database.db, { clock });
  await fill(store, tenantId, 60);
  await prepareAll(store, tenantId, needs);
  expect(await pastOf(store, other.tenantId)).toEqual(QUERIES.map(() => ({ kind: 'warming', missingHours: 6 })));
  await prepareAll(store, other.tenantId, needs);
  const [p95, count] = await pastOf(store, other.tenantId);
  expect(p95).toEqual({ kind: 'history', series: [], dropped: 0 });
  expect(count).toMatchObject({ series: [{ samples: new Float64Array(72) }] });
});
