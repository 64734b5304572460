import {
  AGGREGATION_FACTS,
  AGGREGATIONS,
  type Filter,
  isLongWindow,
  type MetricQuery,
  type RangeQuery,
  type RangeResult,
  type RangeSource,
  type RangeWindow,
  type Subject,
  windowsAt,
} from '@tocsin/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSegment, encodeSegment } from '../../codec/codec.ts';
import type { Segment } from '../../codec/decode.ts';
import type { TelemetryEvent } from '../../event.ts';
import type { HourSums } from '../../hours/hour-sums.ts';
import { hourOf, hoursIn } from '../../hours/hour.ts';
import { sumsNeeds } from '../../hours/sum-hour.ts';
import { encodeSums } from '../../hours/sums-body.ts';
import { Plan } from '../plan.ts';
import type { RangeLimits } from './range-read.ts';
import { RANGE_BOUNDS } from './range-room.ts';
import { rangeSource } from './range-source.ts';

const NEVER = new AbortController().signal;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
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

interface Scene {
  limits?: RangeLimits;
  onRead?: (span: RangeWindow) => void;
  /** Whether the sums of an hour are kept. */
  isKept?: (hourMs: number) => boolean;
}

const sourceOf = (all: readonly Segment[], { limits = LIMITS, onRead, isKept = () => false }: Scene = {}): RangeSource =>
  rangeSource(
    {
      segmentsIn: async (_, span) => {
        onRead?.(span);
        return all.filter(({ rows, minTs, maxTs }) => rows > 0 && maxTs >= span.fromMs && minTs < span.toMs);
      },
      hoursIn: async (_, wanted) =>
        wanted.flatMap((of) =>
          hoursIn(of.fromMs, of.toMs)
            .filter(isKept)
            .map((hourMs) => ({ of, hourMs, body: encodeSums(sumsOf(all, of.query, hourMs)) })),
        ),
    },
    limits,
    () => ({ fromMs: -Infinity, toMs: Infinity }),
  );

function sumsOf(all: readonly Segment[], of: MetricQuery, hourMs: number): HourSums {
  const plan = new Plan([{ query: of, fromMs: hourMs, endMs: hourMs + HOUR, needs: sumsNeeds(of.subject) }]);
  for (const segment of all) plan.add(segment);
  return plan.sums(1_000)[0]!;
}

async function read(
  all: readonly Segment[],
  queries: readonly RangeQuery[],
  limits: RangeLimits = LIMITS,
  maxSeries = 1_000,
  isKept?: Scene['isKept'],
): Promise<RangeResult[]> {
  return sourceOf(all, { limits, ...(isKept === undefined ? {} : { isKept }) }).readRange(
    { tenantId: 'tenant', queries, maxSeries },
    NEVER,
  );
}

/** What each window answers alone, by series; long ones as if none of their hours had been summed up before. */
function oneByOne(all: readonly Segment[], { query: of, windows: each }: RangeQuery): Map<string, { value: number; samples: number }>[] {
  return each.map(({ fromMs, toMs }) => {
    const query = { ...of, windowMs: toMs - fromMs };
    const plan = new Plan([{ query, endMs: toMs, ...(isLongWindow(query) ? { sums: [] } : {}) }]);
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
    const isLong = each.windows.some(({ fromMs, toMs }) => isLongWindow({ ...each.query, windowMs: toMs - fromMs }));
    expect(result.basis).toBe(isLong ? 'hours' : undefined);
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
    { numRuns: 250 },
  );
}, 120_000);

test('so it does where windows share so much that values are ranked, and where series were counted before they were gathered', async () => {
  await fc.assert(
    fc.asyncProperty(segments, fc.array(asked, { minLength: 1, maxLength: 4 }), async (all, queries) => {
      expectSame(all, queries, await read(all, queries, { ...LIMITS, overlap: 0, numbers: 60 }));
    }),
    { numRuns: 250 },
  );
}, 120_000);

/** Segments end with the hour. */
const byHour = (all: readonly TelemetryEvent[]): Segment[] =>
  [...Map.groupBy(all, ({ tsMs }) => hourOf(tsMs)).values()].map((some) => decodeSegment(encodeSegment(some, { compact: false })));
const askedOfHours = asked.filter(({ query: { aggregation, subject: of } }) => AGGREGATION_FACTS[aggregation].takes.includes(of.kind));

test('of long windows it makes no difference which hours are kept as sums and which are read event by event', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 60 }),
      fc.array(askedOfHours, { minLength: 1, maxLength: 4 }),
      fc.func(fc.boolean()),
      fc.constantFrom(LIMITS, { ...LIMITS, overlap: 0, numbers: 60 }),
      async (events, queries, isKept, limits) => {
        const all = byHour(events);
        expectSame(all, queries, await read(all, queries, limits, 1_000, (hourMs) => isKept(hourMs)));
      },
    ),
    { numRuns: 250 },
  );
}, 120_000);

test('events of hours that are kept, and that no window cuts, are not read', async () => {
  const spans: RangeWindow[] = [];
  const scene: Scene = { onRead: (span) => void spans.push(span), isKept: (hourMs) => hourMs !== 30 * HOUR };
  const all = callsOf(48 * 60, 30);
  const query: MetricQuery = { ...CALLS, subject: { kind: 'measure', measures: ['v'], orSumOf: [] }, aggregation: 'p95' };
  const windows = every(10 * MINUTE, 24 * HOUR, 48 * HOUR).filter(({ toMs }) => toMs > 46 * HOUR);
  const request = { tenantId: 'tenant', queries: [{ query, windows }], maxSeries: 100 };
  expectSame(all, request.queries, await sourceOf(all, scene).readRange(request, NEVER));
  const hours = new Set(spans.flatMap(({ fromMs, toMs }) => hoursIn(hourOf(fromMs), toMs).map((ms) => ms / HOUR)));
  expect([...hours].toSorted((a, b) => a - b)).toEqual([22, 23, 30, 46, 47]);
});

test('of a piece of time its values are held by class, however many they are', async () => {
  const all = callsOf(20 * 24 * 60, 1);
  const query: MetricQuery = { ...CALLS, subject: { kind: 'measure', measures: ['v'], orSumOf: [] }, aggregation: 'p95', groupBy: [] };
  const windows = [{ fromMs: 0, toMs: 20 * 24 * HOUR }];
  for (const isKept of [() => false, () => true]) {
    const results = await read(all, [{ query, windows }], { ...LIMITS, values: 9_000 }, 1, isKept);
    expectSame(all, [{ query, windows }], results);
  }
});

test('a day’s window that grows from local midnight is read event by event in the morning and from hours later, across a change of clocks too', async () => {
  const calendars = [
    { days: ['2026-03-29', '2026-10-25'], timeZone: 'Europe/Berlin' },
    { days: ['2026-04-04'], timeZone: 'Australia/Lord_Howe' },
    { days: ['2026-06-01'], timeZone: 'Asia/Kolkata' },
  ].flatMap(({ days, timeZone }) => days.map((day) => ({ fromMs: Date.parse(`${day}T00:00:00Z`) - 24 * HOUR, timeZone })));
  for (const { fromMs, timeZone } of calendars) {
    const events = Array.from({ length: 3 * 24 * 6 }, (_, at): TelemetryEvent => ({
      tsMs: fromMs + at * 10 * MINUTE + (at % 7),
      name: 'call',
      dims: {},
      measures: { v: 1 + ((at * 7_919) % 1_009) },
    }));
    const all = byHour(events);
    const asked = (['p95', 'sum', 'max'] as const).map((aggregation): RangeQuery => {
      const of: MetricQuery = { ...CALLS, subject: { kind: 'measure', measures: ['v'], orSumOf: [] }, aggregation, groupBy: [] };
      const windows = every(17 * MINUTE, 0, 72 * HOUR).map(({ toMs }) => {
        const [at] = windowsAt(
          { windows: [{ query: of, backMs: 0, calendar: { period: 'day', timeZone }, joinsEverySeries: false, choice: null }] },
          fromMs + toMs,
        );
        return { fromMs: at!.endMs - at!.query.windowMs, toMs: at!.endMs };
      });
      return { query: of, windows };
    });
    for (const isKept of [() => false, () => true, (hourMs: number) => (hourMs / HOUR) % 3 > 0])
      expectSame(all, asked, await read(all, asked, LIMITS, 1, isKept));
  }
});

/** So many events a minute apart, of as many models as asked: the model of number 0 has most, and each next one fewer. */
function callsOf(count: number, models: number): Segment[] {
  const events = Array.from({ length: count }, (_, at): TelemetryEvent => ({
    tsMs: at * MINUTE,
    name: 'call',
    dims: { model: `m${Math.floor(models * (((at * 7_919) % count) / count) ** 2)}` },
    measures: { v: (at % 1_000) / 10 },
  }));
  const hours = Map.groupBy(events, ({ tsMs }) => Math.floor(tsMs / HOUR));
  return [...hours.values()].map((some) => decodeSegment(encodeSegment(some, { compact: false })));
}

const CALLS: MetricQuery = {
  name: 'call',
  subject: { kind: 'event' },
  aggregation: 'count',
  filters: [],
  groupBy: ['model'],
  windowMs: HOUR,
  ratePerMs: MINUTE,
};
const every = (stepMs: number, lengthMs: number, toMs: number): RangeWindow[] =>
  Array.from({ length: Math.floor(toMs / stepMs) }, (_, step) => ({ fromMs: (step + 1) * stepMs - lengthMs, toMs: (step + 1) * stepMs }));

test('past maxSeries those of most samples are answered and the rest counted, whether they were gathered at once or not', async () => {
  const all = callsOf(2_000, 30);
  const windows = every(HOUR, 2 * HOUR, 2_000 * MINUTE);
  const [whole] = await read(all, [{ query: CALLS, windows }]);
  if (whole?.kind !== 'range') throw new Error('not read');
  expect([whole.series.length, whole.dropped]).toEqual([30, 0]);
  const samplesOf = whole.series.map(({ samples }) => samples.reduce((sum, each) => sum + each, 0));
  expect(samplesOf).toEqual(samplesOf.toSorted((a, b) => b - a));
  for (const numbers of [RANGE_BOUNDS.numbers, 500]) {
    const [result] = await read(all, [{ query: CALLS, windows }], { ...LIMITS, numbers }, 4);
    expect(result).toStrictEqual({ kind: 'range', series: whole.series.slice(0, 4), dropped: 26 });
  }
});

test('more points, values or series than there is room for are a failure that says so, of the largest query alone', async () => {
  const all = callsOf(2_000, 30);
  const windows = every(HOUR, 2 * HOUR, 2_000 * MINUTE);
  const queries = [
    { query: { ...CALLS, groupBy: [] }, windows },
    { query: { ...CALLS, subject: { kind: 'measure', measures: ['v'], orSumOf: [] }, aggregation: 'p95' } as MetricQuery, windows },
  ];
  const outcome = async (limits: Partial<RangeLimits>): Promise<string[]> =>
    (await read(all, queries, { ...LIMITS, ...limits })).map((result) => (result.kind === 'failed' ? result.code : result.kind));
  expect(await outcome({})).toEqual(['range', 'range']);
  expect(await outcome({ points: 31 * windows.length })).toEqual(['range', 'range']);
  expect(await outcome({ points: 31 * windows.length - 1 })).toEqual(['range', 'too_many_points']);
  expect(await outcome({ values: 1_000 })).toEqual(['range', 'too_many_points']);
  expect(await outcome({ seriesPerRead: 30 })).toEqual(['range', 'range']);
  expect(await outcome({ seriesPerRead: 29 })).toEqual(['range', 'too_many_series']);
});

test('sums of more events than fit together exactly are exact, too', async () => {
  const events = Array.from({ length: 300_000 }, (_, at): TelemetryEvent => ({
    tsMs: at * 20,
    name: 'call',
    dims: {},
    measures: { v: 0.1 + (at % 7) },
  }));
  const all = [0, 1, 2, 3, 4].map((part) =>
    decodeSegment(encodeSegment(events.slice(part * 60_000, (part + 1) * 60_000), { compact: false })),
  );
  const windows = every(10 * MINUTE, 90 * MINUTE, 6_000_000);
  const query: MetricQuery = { ...CALLS, subject: { kind: 'measure', measures: ['v'], orSumOf: [] }, aggregation: 'sum', groupBy: [] };
  const asked = [{ query, windows }];
  expectSame(all, asked, await read(all, asked));
}, 90_000);

test('days of many events are read some hours at a time, oldest first, and what lies between far windows is not read', async () => {
  const spans: RangeWindow[] = [];
  const day = 24 * HOUR;
  const busy = Array.from({ length: 4 * 24 }, (_, hour): Segment =>
    decodeSegment(
      encodeSegment(
        Array.from({ length: 30_000 }, (__, at) => ({ tsMs: hour * HOUR + at * 100, name: 'call', dims: {}, measures: {} })),
        { compact: false },
      ),
    ),
  );
  const source = sourceOf(busy, { onRead: (span) => void spans.push(span) });
  const query = { ...CALLS, groupBy: [] };
  await source.readRange({ tenantId: 'tenant', queries: [{ query, windows: every(HOUR, HOUR, 4 * day) }], maxSeries: 1 }, NEVER);
  expect(spans.every(({ fromMs, toMs }, at) => toMs - fromMs <= 16 * HOUR && fromMs === (spans[at - 1]?.toMs ?? 0))).toBe(true);
  expect(spans.at(-1)!.toMs).toBe(4 * day);
  expect(spans.length).toBeGreaterThan(6);
  spans.length = 0;
  const days = every(day, MINUTE, 4 * day);
  await source.readRange({ tenantId: 'tenant', queries: [{ query, windows: days }], maxSeries: 1 }, NEVER);
  expect(spans).toEqual(days);
}, 90_000);

test('it tells ever more of its progress, up to 1, and ends when it is called off', async () => {
  const request = { tenantId: 'tenant', queries: [{ query: CALLS, windows: every(MINUTE, HOUR, 6_000 * MINUTE) }], maxSeries: 5 };
  for (const numbers of [RANGE_BOUNDS.numbers, 500]) {
    const source = sourceOf(callsOf(6_000, 30), { limits: { ...LIMITS, numbers } });
    const shares: number[] = [];
    await source.readRange(request, NEVER, (share) => shares.push(share));
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    expect(new Set(shares).size).toBeGreaterThan(3);
    const calledOff = new AbortController();
    const late = new Error('late');
    await expect(source.readRange(request, calledOff.signal, () => calledOff.abort(late))).rejects.toBe(late);
  }
});
