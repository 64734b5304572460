import type { MetricQuery, ReadingCost, WindowedQuery } from '@tocsin/domain';
import { expect, test } from 'vitest';
import { decodeSegment, encodeSegment } from '../codec/codec.ts';
import { KeptSegments } from './kept-segments.ts';
import { RequestPlans } from './request-plans.ts';

const query = (more: Partial<MetricQuery> = {}): MetricQuery => ({
  name: null,
  subject: { kind: 'event' },
  aggregation: 'count',
  filters: [],
  groupBy: [],
  windowMs: 1_000,
  ratePerMs: 60_000,
  ...more,
});
const at = (endMs: number, more: Partial<MetricQuery> = {}): WindowedQuery => ({ query: query(more), endMs });

/** Ten segments of a hundred events, 100 ms each. */
const SEGMENTS = Array.from({ length: 10 }, (_, place) =>
  decodeSegment(
    encodeSegment(
      Array.from({ length: 100 }, (_each, index) => ({
        tsMs: place * 100 + index,
        name: 'call',
        dims: { model: `m${index % 3}` },
        measures: {},
      })),
      { compact: false },
    ),
  ),
);

function costsOf(queries: readonly WindowedQuery[], feedingMs = 0, kept: KeptSegments | null = null): ReadingCost[] {
  const plans = new RequestPlans({ tenantId: 't', queries }, 1_000);
  if (kept === null) for (const segment of SEGMENTS) plans.add(segment);
  else plans.addKept(kept, [...SEGMENTS.keys()]);
  for (const _ of plans.answering(100, []));
  plans.feedingMs = feedingMs;
  return plans.costs();
}

test('a query costs the segments its window touches and the events that are read of them', () => {
  const [whole, half, none] = costsOf([at(1_000), at(500, { windowMs: 250 }), at(9_000)]);
  expect(whole).toMatchObject({ segments: 10, events: 1_000 });
  expect(half).toMatchObject({ segments: 3, events: 300 });
  expect(none).toEqual({ ms: 0, segments: 0, events: 0 });
});

test('queries of the same window split evenly what they share', () => {
  const costs = costsOf(
    [at(1_000), at(1_000, { aggregation: 'rate' }), at(1_000, { aggregation: 'rate', ratePerMs: 1_000 }), at(1_000)],
    8,
  );
  for (const cost of costs) expect(cost).toEqual({ ms: 2, segments: 2.5, events: 250 });
});

test('the time of the segments goes to each by what it read, and nothing of it is lost', () => {
  const costs = costsOf([at(1_000), at(500, { windowMs: 250, groupBy: ['model'] })], 130);
  expect(costs.map(({ ms }) => Math.round(ms))).toEqual([100, 30]);
});

test('what was found earlier and kept is touched, not read again', () => {
  const kept = new KeptSegments({ bytes: 0 });
  for (const [place, segment] of SEGMENTS.entries()) {
    const key = Buffer.alloc(24);
    key.writeUInt32BE(place, 0);
    kept.add(key, 0, segment);
  }
  const queries = [at(1_000), at(1_000, { groupBy: ['model'] })];
  expect(costsOf(queries, 0, kept)[0]).toMatchObject({ segments: 10, events: 1_000 });
  const [again, grouped] = costsOf(queries, 0, kept);
  expect(again).toMatchObject({ segments: 10, events: 0 });
  expect(grouped, 'a group-by reads its window each time').toMatchObject({ segments: 10, events: 1_000 });
});

test('every query of a request that is divided has its cost at its place', () => {
  const queries = Array.from({ length: 300 }, (_, index) =>
    at(1_000, { name: index % 2 === 0 ? 'call' : `other ${index}`, groupBy: ['model'] }),
  );
  const costs = costsOf(queries);
  expect(costs).toHaveLength(300);
  expect(costs.reduce((total, { segments }) => total + segments, 0)).toBeCloseTo(151 * 10, 6);
});
