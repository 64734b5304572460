import {
  AGGREGATIONS,
  type Filter,
  type MetricQuery,
  type RangeQuery,
  type RangeResult,
  type RangeWindow,
  type Subject,
} from '@tocsin/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSegment, encodeSegment } from '../../codec/codec.ts';
import type { Segment } from '../../codec/decode.ts';
import type { TelemetryEvent } from '../../event.ts';
import { Plan } from '../plan.ts';
import type { RangeLimits } from './range-read.ts';
import { RANGE_BOUNDS } from './range-room.ts';
import { rangeSource } from './range-source.ts';

const NEVER = new AbortController().signal;
const HOUR = 3_600_000;
const LIMITS: RangeLimits = { ...RANGE_BOUNDS, seriesPerRead: 1_000 };

/** Two days of events, many of them at the same time, so that a range is read in several chunks. */
const timeMs = fc.integer({ min: 0, max: 48 }).map((step) => step * HOUR + (step % 3));
const text = fc.constantFrom('', 'ok', 'error', 'timeout', 'other');
const number = fc.oneof(
  fc.constantFrom(0, -0, 1, 0.1, 1e12, -1e300, 1e300, 1e-300),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  fc.integer({ min: 0, max: 20 }),
);
const event: fc.Arbitrary<TelemetryEvent> = fc.record({
  tsMs: timeMs,
  name: fc.constantFrom('call', 'job'),
  dims: fc.dictionary(fc.constantFrom('status', 'model'), text, { noNullPrototype: true }),
  measures: fc.dictionary(fc.constantFrom('v', 'w'), number, { noNullPrototype: true }),
});
const subject: fc.Arbitrary<Subject> = fc.constantFrom<Subject[]>(
  { kind: 'event' },
  { kind: 'measure', measures: ['v'], orSumOf: [] },
  { kind: 'measure', measures: ['v'], orSumOf: ['w'] },
  { kind: 'dim', dim: 'model' },
  { kind: 'share', dim: 'status', values: ['error', 'timeout'] },
);
const filter: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    kind: fc.constant('in' as const),
    dim: fc.constant('status'),
    values: fc.array(text, { maxLength: 3 }),
    negate: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('measure' as const),
    measure: fc.constant('v'),
    operator: fc.constantFrom('>' as const, '<=' as const),
    value: fc.constantFrom(0, 1, 10),
  }),
);
const query: fc.Arbitrary<MetricQuery> = fc
  .record({
    name: fc.constantFrom(null, 'call'),
    subject,
    aggregation: fc.constantFrom(...AGGREGATIONS),
    filters: fc.array(filter, { maxLength: 1 }),
    groupBy: fc.subarray(['model', 'status'] as const),
    windowMs: fc.constant(HOUR),
    ratePerMs: fc.constantFrom(1_000, 60_000),
  })
  .map((each) => (each.subject.kind === 'dim' ? { ...each, aggregation: 'distinct' as const } : each));
/** Of one length a step apart, as a chart has them, or of any. */
const windows: fc.Arbitrary<RangeWindow[]> = fc.oneof(
  fc
    .record({
      startMs: timeMs,
      lengthMs: fc.integer({ min: 1, max: 12 }),
      stepMs: fc.integer({ min: 1, max: 3 }),
      count: fc.nat({ max: 40 }),
    })
    .map(({ startMs, lengthMs, stepMs, count }) =>
      Array.from({ length: count }, (_, at) => {
        const toMs = startMs + at * stepMs * HOUR + (at % 2);
        return { fromMs: toMs - lengthMs * HOUR, toMs };
      }),
    ),
  fc
    .array(fc.record({ fromMs: timeMs, lengthMs: fc.constantFrom(0, 1, HOUR, 5 * HOUR, 30 * HOUR) }), { maxLength: 12 })
    .map((all) => all.map(({ fromMs, lengthMs }) => ({ fromMs, toMs: fromMs + lengthMs })).sort((a, b) => a.toMs - b.toMs)),
);
const asked: fc.Arbitrary<RangeQuery> = fc.record({ query, windows });
/** Events in any order, cut anywhere. */
const segments = fc.tuple(fc.array(event, { maxLength: 60 }), fc.array(fc.nat({ max: 60 }), { maxLength: 6 })).map(([events, at]) => {
  const bounds = [0, ...at.map((place) => Math.min(place, events.length)), events.length].sort((a, b) => a - b);
  return bounds.slice(1).map((end, i) => decodeSegment(encodeSegment(events.slice(bounds[i], end), { compact: false })));
});

async function read(
  all: readonly Segment[],
  queries: readonly RangeQuery[],
  limits: RangeLimits = LIMITS,
  maxSeries = 1_000,
): Promise<RangeResult[]> {
  const source = rangeSource(
    async (_, { fromMs, toMs }) => all.filter(({ rows, minTs, maxTs }) => rows > 0 && maxTs >= fromMs && minTs < toMs),
    limits,
    () => ({ fromMs: -Infinity, toMs: Infinity }),
  );
  return source.readRange({ tenantId: 'tenant', queries, maxSeries }, NEVER);
}

/** What each window answers alone, by series. */
function oneByOne(all: readonly Segment[], { query: of, windows: each }: RangeQuery): Map<string, { value: number; samples: number }>[] {
  return each.map(({ fromMs, toMs }) => {
    const plan = new Plan([{ query: { ...of, windowMs: toMs - fromMs }, endMs: toMs }]);
    for (const segment of all) plan.add(segment);
    const [result] = plan.results(1_000);
    if (result?.kind !== 'series') throw new Error('failed');
    return new Map(result.series.map(({ labels, value, samples }) => [JSON.stringify(labels), { value: value ?? NaN, samples }]));
  });
}

function expectSame(all: readonly Segment[], queries: readonly RangeQuery[], results: readonly RangeResult[]): void {
  expect(results.length).toBe(queries.length);
  for (const [place, each] of queries.entries()) {
    const result = results[place]!;
    if (result.kind !== 'range') throw new Error(`not read: ${JSON.stringify(result)}`);
    const expected = oneByOne(all, each);
    const empty = oneByOne([], { ...each, query: { ...each.query, groupBy: [] } });
    const found = new Set(result.series.map(({ labels }) => JSON.stringify(labels)));
    for (const ofWindow of expected) for (const key of ofWindow.keys()) expect(found.has(key)).toBe(true);
    for (const { labels, values, samples } of result.series) {
      const wanted = expected.map((ofWindow, window) => ofWindow.get(JSON.stringify(labels)) ?? empty[window]!.get('{}')!);
      expect(Array.from(values)).toStrictEqual(wanted.map(({ value }) => value));
      expect(Array.from(samples)).toStrictEqual(wanted.map((ofWindow) => ofWindow.samples));
    }
    if (each.query.groupBy.length === 0) expect(result.series.length).toBe(1);
  }
}

test('a range answers for every window what a read of that window alone answers, bit for bit', async () => {
  await fc.assert(
    fc.asyncProperty(segments, fc.array(asked, { minLength: 1, maxLength: 4 }), async (all, queries) => {
      expectSame(all, queries, await read(all, queries));
    }),
    { numRuns: 600 },
  );
}, 60_000);

test('so it does where windows share so much that values are ranked, and where series were counted before they were gathered', async () => {
  await fc.assert(
    fc.asyncProperty(segments, fc.array(asked, { minLength: 1, maxLength: 4 }), async (all, queries) => {
      expectSame(all, queries, await read(all, queries, { ...LIMITS, overlap: 0, numbers: 60 }));
    }),
    { numRuns: 600 },
  );
}, 60_000);
