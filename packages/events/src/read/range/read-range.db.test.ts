import { AGGREGATIONS, type MetricQuery, type RangeQuery } from '@tocsin/domain';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COUNT, HOUR, minuteClock, MINUTE, NEVER, openStore } from '../../../test/open-store.ts';
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
    lengthMs: fc.constantFrom(5 * MINUTE, HOUR, 5 * HOUR),
    stepMs: fc.constantFrom(MINUTE, 7 * MINUTE, HOUR),
    back: fc.constantFrom(0, 90, 25 * 60),
  })
  .map(({ query: of, lengthMs, stepMs, back }): RangeQuery => ({
    query: { ...of, windowMs: lengthMs },
    windows: Array.from({ length: 30 }, (_, at) => now - back * MINUTE - (29 - at) * stepMs).map((toMs) => ({
      fromMs: toMs - lengthMs,
      toMs,
    })),
  }));

async function expectSame(store: EventStore, tenantId: string, queries: readonly RangeQuery[]): Promise<void> {
  const results = await store.readRange({ tenantId, queries, maxSeries: 10 }, NEVER);
  for (const [place, { query: of, windows }] of queries.entries()) {
    const result = results[place]!;
    if (result.kind !== 'range') throw new Error('not read');
    expect(result.dropped).toBe(0);
    const [alone] = await store.source.read([{ tenantId, queries: windows.map(({ toMs }) => ({ query: of, endMs: toMs })) }], NEVER);
    for (const [window, each] of alone!.entries()) {
      if (each.kind !== 'series') throw new Error('not read');
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
      async (batches, queries, cacheBytes) => {
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
}, 120_000);

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
