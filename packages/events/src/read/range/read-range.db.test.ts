import { withTenantsSql } from '@tocsin/db';
import { AGGREGATION_FACTS, AGGREGATIONS, isLongWindow, type MetricQuery, type RangeQuery } from '@tocsin/domain';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { partialsOf, prepareAll } from '../../../test/hours-scene.ts';
import { COUNT, HOUR, minuteClock, MINUTE, NEVER, openStore } from '../../../test/open-store.ts';
import { hourOf } from '../../hours/hour.ts';
import type { EventStore } from '../../index.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

const clock = minuteClock();
const now = clock.now();

const call = fc.record({
  back: fc.integer({ min: 1, max: 30 * 60 }),
  model: fc.constantFrom('a', 'b', 'c'),
  status: fc.constantFrom('ok', 'error'),
  cost: fc.double({ noNaN: true, min: 0, max: 1e3 }),
});
const query = fc
  .record({
    subject: fc.constantFrom<MetricQuery['subject'][]>(
      { kind: 'measure', measures: ['cost'], orSumOf: [] },
      { kind: 'share', dim: 'status', values: ['error'] },
      { kind: 'dim', dim: 'model' },
    ),
    aggregation: fc.constantFrom(...AGGREGATIONS),
    groupBy: fc.subarray(['model'] as const),
  })
  .map((each): MetricQuery => ({
    ...COUNT,
    ...each,
    aggregation: each.subject.kind === 'measure' ? each.aggregation : each.subject.kind === 'dim' ? 'distinct' : 'avg',
  }));
const asked = fc
  .record({
    query,
    lengthMs: fc.constantFrom(5 * MINUTE, HOUR, 5 * HOUR, 7 * HOUR, 25 * HOUR),
    stepMs: fc.constantFrom(MINUTE, 7 * MINUTE, HOUR),
    back: fc.constantFrom(0, 90, 25 * 60),
  })
  .map(({ query: of, lengthMs, stepMs, back }): RangeQuery => {
    const windowMs = Math.min(lengthMs, AGGREGATION_FACTS[of.aggregation].maxWindowMs);
    return {
      query: { ...of, windowMs },
      windows: Array.from({ length: 30 }, (_, at) => now - back * MINUTE - (29 - at) * stepMs).map((toMs) => ({
        fromMs: toMs - windowMs,
        toMs,
      })),
    };
  });

const longOf = (queries: readonly RangeQuery[]): MetricQuery[] => queries.map(({ query: of }) => of).filter(isLongWindow);

/** What a range answers is what reads of its windows one by one do: both say when it is from hours. */
async function expectSame(store: EventStore, tenantId: string, queries: readonly RangeQuery[]): Promise<void> {
  const results = await store.readRange({ tenantId, queries, maxSeries: 10 }, NEVER);
  for (const [place, { query: of, windows }] of queries.entries()) {
    const result = results[place]!;
    if (result.kind !== 'range') throw new Error('not read');
    expect(result.dropped).toBe(0);
    const [alone] = await store.sourceNow.read([{ tenantId, queries: windows.map(({ toMs }) => ({ query: of, endMs: toMs })) }], NEVER);
    for (const [window, each] of alone!.entries()) {
      if (each.kind !== 'series') throw new Error('not read');
      expect(result.basis).toBe(each.basis);
      const byModel = new Map(result.series.map(({ labels, values, samples }) => [labels['model'], [values[window]!, samples[window]!]]));
      for (const { labels, value, samples } of each.series) {
        expect(byModel.get(labels['model'])).toStrictEqual([value ?? NaN, samples]);
        byModel.delete(labels['model']);
      }
      for (const [, samples] of byModel.values()) expect(samples).toBe(0);
    }
  }
}

test('what is stored, joined and cached makes no difference: a range answers as reads of its windows one by one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(call, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      fc.array(asked, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(1e9, 10_000),
      fc.boolean(),
      async (batches, queries, cacheBytes, prepares) => {
        const { tenantId } = await makeTenant(database.db);
        const store = openStore(database.db, { clock, bounds: { cacheBytes } });
        for (const calls of batches) {
          const events = calls.map(({ back, model, status, cost }) => ({
            ts: now - back * MINUTE,
            name: 'call',
            dims: { model, status },
            measures: { cost },
          }));
          await store.ingest(tenantId, events);
          // Of later batches all events of closed hours are late, and the hours are prepared anew or are not.
          if (prepares) await prepareAll(openStore(database.db, { clock }), tenantId, partialsOf(longOf(queries)));
          await expectSame(store, tenantId, queries);
        }
        const later = minuteClock();
        for (const shiftMs of [6 * MINUTE, 27 * HOUR]) {
          later.tick(shiftMs);
          await openStore(database.db, { clock: later }).compact([tenantId], NEVER);
          await expectSame(store, tenantId, queries);
          await expectSame(openStore(database.db, { clock }), tenantId, queries);
        }
      },
    ),
    { numRuns: 10 },
  );
}, 240_000);

test('a long window’s hours are read as they are kept, until a late event reopens one; nothing is written for a range', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  const query: MetricQuery = { ...COUNT, windowMs: 24 * HOUR };
  const ask = async (): Promise<number> => {
    const { series, basis } = await store.queryRange(tenantId, query, { fromMs: now - HOUR, toMs: now, stepMs: HOUR }, NEVER);
    expect(basis).toBe('hours');
    return series[0]!.points[0]!.value!;
  };
  const kept = () => withTenantsSql(database.db, [tenantId], (sql) => sql<{ hour: Date }[]>`select hour_at as hour from partials`);
  await store.ingest(tenantId, [{ ts: now - 10 * HOUR, name: 'call' }]);
  expect(await ask()).toBe(1);
  expect(await kept()).toEqual([]);
  await prepareAll(store, tenantId, partialsOf([query]));
  const hours = (await kept()).length;
  // What is kept is what is read: where it is made false, so is the answer.
  await withTenantsSql(
    database.db,
    [tenantId],
    (sql) => sql`update partials set body = (select body from partials where hour_at = ${new Date(hourOf(now - 10 * HOUR))} limit 1)`,
  );
  const madeFalse = await ask();
  expect(madeFalse).toBeGreaterThan(15);
  const late = { ts: now - 12 * HOUR, name: 'call' };
  await store.ingest(tenantId, [late, late]);
  expect(await ask()).toBe(madeFalse + 1);
  expect((await kept()).length).toBe(hours);
}, 60_000);

test('a range from long before anything was kept takes no longer than what is kept', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [{ ts: now - 1, name: 'call' }]);
  const windows = Array.from({ length: 100 }, (_, at) => ({ fromMs: (now * at) / 100, toMs: (now * (at + 1)) / 100 }));
  const shares: number[] = [];
  const [result] = await store.readRange({ tenantId, queries: [{ query: COUNT, windows }], maxSeries: 1 }, NEVER, (share) =>
    shares.push(share),
  );
  expect(result?.kind === 'range' && [...result.series[0]!.values]).toEqual([...new Array<number>(99).fill(0), 1]);
  expect(shares.length).toBeLessThan(20);
});
