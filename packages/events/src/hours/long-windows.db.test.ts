import { AGGREGATION_FACTS, type MetricQuery, type SeriesReading } from '@tocsin/domain';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { partialsOf, prepareAll, readEvents, readOne, seriesOf } from '../../test/hours-scene.ts';
import { COUNT, DAY, HOUR, minuteClock, MINUTE, NEVER, openStore } from '../../test/open-store.ts';
import type { EventStore } from '../event-store.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

const clock = minuteClock();
const now = clock.now();
/** Ends where nothing is late any more, in the middle of an hour that is closed. */
const end = Math.floor(now / HOUR) * HOUR - 3 * HOUR + 17 * MINUTE + 123;

const event = fc.record({
  agoMs: fc.integer({ min: -MINUTE, max: 14 * HOUR }),
  name: fc.constantFrom('call', 'job'),
  dims: fc.record({ model: fc.constantFrom('a', 'b', 'c'), status: fc.constantFrom('ok', 'error') }, { requiredKeys: [] }),
  measures: fc.record(
    { ms: fc.oneof(fc.constantFrom(0, 0.1, 1e9, 3e11), fc.double({ noNaN: true, min: 1e-6, max: 1e6 })) },
    { requiredKeys: [] },
  ),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;
const batch = fc.array(event, { minLength: 1, maxLength: 60 });

const MS: MetricQuery['subject'] = { kind: 'measure', measures: ['ms'], orSumOf: [] };
const subjects = [
  { subject: MS, aggregations: ['sum', 'avg', 'min', 'max', 'count', 'rate', 'p50', 'p95', 'p99'] },
  { subject: { kind: 'event' }, aggregations: ['count', 'rate'] },
  { subject: { kind: 'share', dim: 'status', values: ['error'] }, aggregations: ['avg', 'count', 'rate'] },
] as const;
const QUERIES = [[], ['model'], ['model', 'status']].flatMap((groupBy) =>
  [[], [{ kind: 'in', dim: 'model', values: ['a'], negate: true } as const]].flatMap((filters) =>
    subjects.flatMap(({ subject, aggregations }) =>
      aggregations.map((aggregation): MetricQuery => ({ ...COUNT, subject, aggregation, groupBy, filters, windowMs: 0 })),
    ),
  ),
);
const withWindow = (windowMs: number): MetricQuery[] => QUERIES.map((query) => ({ ...query, windowMs }));

async function ingest(store: EventStore, tenantId: string, events: readonly Event[]): Promise<void> {
  await store.ingest(
    tenantId,
    events.map(({ agoMs, ...each }) => ({ ts: end - agoMs, ...each })),
  );
}

/** From closed hours and every event alike; bit for bit but for percentiles. */
async function expectSame(store: EventStore, tenantId: string, queries: readonly MetricQuery[]): Promise<void> {
  const [results] = await store.source.read([{ tenantId, queries: queries.map((query) => ({ query, endMs: end })) }], NEVER);
  for (const [place, query] of queries.entries()) {
    expect(results![place]).toMatchObject({ kind: 'series', dropped: 0, basis: 'hours' });
    const [found, exact] = [seriesOf(results![place]!), await readEvents(database.db, tenantId, query, end)];
    expect([...found.keys()].toSorted()).toEqual([...exact.keys()].toSorted());
    for (const [key, reading] of found) expectNear(reading, exact.get(key)!, query);
  }
}

function expectNear(found: SeriesReading, exact: SeriesReading, { aggregation }: MetricQuery): void {
  if (AGGREGATION_FACTS[aggregation].quantile === null || exact.value === null) expect(found, aggregation).toEqual(exact);
  else {
    expect(found.samples).toBe(exact.samples);
    expect(Math.abs(found.value! - exact.value), aggregation).toBeLessThanOrEqual(0.01 * Math.abs(exact.value));
  }
}

test('a long window answers what its events do: sums, counts, averages and extremes to the last bit, percentiles within 1 %; late events, compaction and flushes beside it change nothing of that', async () => {
  await fc.assert(
    fc.asyncProperty(batch, batch, batch, fc.integer({ min: 6 * HOUR + 1, max: 13 * HOUR }), async (early, late, beside, windowMs) => {
      const { tenantId } = await makeTenant(database.db);
      const store = openStore(database.db, { clock });
      const queries = withWindow(windowMs);
      const needs = partialsOf(queries);
      await ingest(store, tenantId, early);
      await prepareAll(store, tenantId, needs);
      await expectSame(store, tenantId, queries);
      await ingest(store, tenantId, late);
      await Promise.all([prepareAll(store, tenantId, needs), ingest(openStore(database.db, { clock }), tenantId, beside)]);
      await prepareAll(store, tenantId, needs);
      await expectSame(store, tenantId, queries);
      const made = await Promise.all([store.compact([tenantId], NEVER), prepareAll(openStore(database.db, { clock }), tenantId, needs)]);
      expect(made[1]).toBe(0);
      await expectSame(store, tenantId, queries);
      await expectSame(openStore(database.db, { clock, bounds: { hoursCacheBytes: 1 } }), tenantId, queries);
    }),
    { numRuns: 5, endOnFailure: true },
  );
}, 180_000);

const YESTERDAY: MetricQuery = { ...COUNT, windowMs: DAY };

test('a window is warming until its hours are prepared; a few missing ones are summed up by whoever asks', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [{ ts: end - 20 * HOUR, name: 'call' }]);
  expect(await readOne(store, tenantId, YESTERDAY, end)).toEqual({ kind: 'warming', missingHours: 23 });
  await prepareAll(store, tenantId, partialsOf([YESTERDAY], 2 * HOUR));
  expect(await readOne(store, tenantId, YESTERDAY, end)).toMatchObject({ kind: 'warming' });
  await prepareAll(store, tenantId, partialsOf([YESTERDAY]));
  expect(await readOne(store, tenantId, YESTERDAY, end)).toMatchObject({ kind: 'series', series: [{ value: 1 }], basis: 'hours' });

  await store.ingest(
    tenantId,
    [5, 6, 7].map((hours) => ({ ts: end - hours * HOUR, name: 'call' })),
  );
  for (const each of [store, openStore(database.db, { clock })])
    expect(await readOne(each, tenantId, YESTERDAY, end)).toMatchObject({ kind: 'series', series: [{ value: 4 }] });
  await store.ingest(
    tenantId,
    [5, 6, 7, 8].map((hours) => ({ ts: end - hours * HOUR, name: 'call' })),
  );
  expect(await readOne(store, tenantId, YESTERDAY, end)).toEqual({ kind: 'warming', missingHours: 4 });
  expect(await prepareAll(openStore(database.db, { clock }), tenantId, partialsOf([YESTERDAY]))).toBe(4);
  expect(await readOne(store, tenantId, YESTERDAY, end)).toMatchObject({ kind: 'series', series: [{ value: 8 }] });
});

test('windows up to now count what came this moment, and windows up to 6 h are read event by event', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await prepareAll(store, tenantId, partialsOf([YESTERDAY]));
  await store.ingest(tenantId, [{ ts: now - 1, name: 'call' }]);
  expect(await readOne(store, tenantId, YESTERDAY, now)).toMatchObject({ series: [{ value: 1 }], basis: 'hours' });
  expect(await readOne(store, tenantId, { ...COUNT, windowMs: 6 * HOUR }, now)).toEqual({
    kind: 'series',
    series: [{ labels: {}, value: 1, samples: 1 }],
    dropped: 0,
  });
});

test('one call answers long and short windows of many tenants in the order asked, and nobody sees another’s hours', async () => {
  const tenants = await Promise.all([1, 2, 3].map(() => makeTenant(database.db)));
  const store = openStore(database.db, { clock });
  for (const [place, { tenantId }] of tenants.entries()) {
    await store.ingest(
      tenantId,
      Array.from({ length: place + 1 }, () => ({ ts: end - 10 * HOUR, name: 'call' })),
    );
    if (place < 2) await prepareAll(store, tenantId, partialsOf([YESTERDAY]));
  }
  const queries = [COUNT, YESTERDAY, { ...COUNT, windowMs: 7 * HOUR }].map((query) => ({ query, endMs: end }));
  const answers = await store.source.read(
    tenants.map(({ tenantId }) => ({ tenantId, queries })),
    NEVER,
  );
  const values = answers.map((results) => results.map((result) => (result.kind === 'series' ? result.series[0]!.value : result.kind)));
  expect(values).toEqual([
    [0, 1, 0],
    [0, 2, 0],
    [0, 'warming', 'warming'],
  ]);
});

test('of more series than are kept those of the most samples are answered, and the others counted', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock, bounds: { seriesPerQuery: 2 } });
  await store.ingest(
    tenantId,
    ['a', 'b', 'b', 'c', 'c', 'c'].map((model) => ({ ts: end - 10 * HOUR, name: 'call', dims: { model } })),
  );
  const query: MetricQuery = { ...YESTERDAY, groupBy: ['model'] };
  await prepareAll(store, tenantId, partialsOf([query]));
  const result = await readOne(store, tenantId, query, end);
  expect(result).toMatchObject({ dropped: 1 });
  expect([...seriesOf(result).values()].map(({ labels, value }) => [labels['model'], value])).toEqual([
    ['c', 3],
    ['b', 2],
  ]);
});
