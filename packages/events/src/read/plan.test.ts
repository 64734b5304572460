import { AGGREGATIONS, type Filter, type MetricQuery, OPERATORS, type QueryResult, type Subject, type WindowedQuery } from '@tocsin/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSegment, encodeSegment } from '../codec/codec.ts';
import type { TelemetryEvent } from '../event.ts';
import { KeptSegments } from './kept-segments.ts';
import { Plan } from './plan.ts';
import { RequestPlans } from './request-plans.ts';
import { SeriesRoom } from './series-room.ts';

const dimName = fc.constantFrom('status', 'model', 'env');
const dimText = fc.constantFrom('', 'ok', 'error', 'timeout', 'gpt-4o', 'gpt-4o-mini');
const measureName = fc.constantFrom('duration_ms', 'total_tokens', 'input_tokens', 'output_tokens', 'status');
const number = fc.oneof(
  fc.constantFrom(0, -0, 1, 95, 100, 0.1, 1e12),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  fc.integer({ min: 0, max: 20 }),
);
const event: fc.Arbitrary<TelemetryEvent> = fc.record({
  tsMs: fc.integer({ min: 0, max: 200 }),
  name: fc.constantFrom('call', 'job', 'metric.depth'),
  dims: fc.dictionary(dimName, dimText, { noNullPrototype: true }),
  measures: fc.dictionary(measureName, number, { noNullPrototype: true }),
});
const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.constant<Subject>({ kind: 'event' }),
  fc.constant<Subject>({ kind: 'measure', measures: ['duration_ms'], orSumOf: [] }),
  fc.constant<Subject>({ kind: 'measure', measures: ['total_tokens'], orSumOf: ['input_tokens', 'output_tokens'] }),
  fc.constant<Subject>({ kind: 'dim', dim: 'model' }),
  fc.constant<Subject>({ kind: 'share', dim: 'status', values: ['error', 'timeout'] }),
);
const filter: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ kind: fc.constant('in' as const), dim: dimName, values: fc.array(dimText, { maxLength: 3 }), negate: fc.boolean() }),
  fc.record({
    kind: fc.constant('prefix' as const),
    dim: dimName,
    prefix: fc.constantFrom('', 'gpt', 'gpt-4o-', 'x'),
    negate: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('exists' as const), field: fc.oneof(dimName, measureName), negate: fc.boolean() }),
  fc.record({
    kind: fc.constant('measure' as const),
    measure: measureName,
    operator: fc.constantFrom(...OPERATORS),
    value: fc.constantFrom(0, 1, 10, 95),
  }),
);
const query: fc.Arbitrary<MetricQuery> = fc
  .record({
    name: fc.constantFrom(null, 'call', 'metric.depth', 'nothing'),
    subject,
    aggregation: fc.constantFrom(...AGGREGATIONS),
    filters: fc.array(filter, { maxLength: 2 }),
    groupBy: fc.subarray(['env', 'model', 'status'] as const),
    windowMs: fc.integer({ min: 1, max: 200 }),
    ratePerMs: fc.constantFrom(1_000, 60_000),
  })
  .map((each) => (each.subject.kind === 'dim' ? { ...each, aggregation: 'distinct' as const } : each));
const windowed: fc.Arbitrary<WindowedQuery> = fc.record({ query, endMs: fc.integer({ min: 0, max: 220 }) });

/** Events in any order, cut anywhere. */
const divided = fc
  .array(event, { maxLength: 60 })
  .chain((events) =>
    fc.tuple(
      fc.constant(events),
      fc.shuffledSubarray(events, { minLength: events.length }),
      fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
    ),
  );

function read(parts: readonly TelemetryEvent[][], queries: readonly WindowedQuery[], maxSeries = 1_000): QueryResult[] {
  const plan = new Plan(queries);
  for (const part of parts) plan.add(decodeSegment(encodeSegment(part, { compact: false })));
  return plan.results(maxSeries);
}

/** A key as the database packs them. */
function keyOf(place: number): Buffer {
  const key = Buffer.alloc(24);
  key.writeUInt32BE(place, 0);
  key.writeUInt32BE(1_000 * place, 20);
  return key;
}

function cut(events: readonly TelemetryEvent[], at: readonly number[]): TelemetryEvent[][] {
  const bounds = [0, ...at.map((place) => Math.min(place, events.length)), events.length].sort((a, b) => a - b);
  return bounds.slice(1).map((end, i) => events.slice(bounds[i], end));
}

test('any order and any division of the same events gives the same readings, bit for bit', () => {
  fc.assert(
    fc.property(divided, fc.array(windowed, { minLength: 1, maxLength: 6 }), ([events, shuffled, at], queries) => {
      expect(read(cut(shuffled, at), queries)).toStrictEqual(read([events], queries));
    }),
    { numRuns: 1_000 },
  );
});

test('what was kept of a segment from an earlier read answers as the segment itself', () => {
  fc.assert(
    fc.property(
      divided,
      fc.array(windowed, { minLength: 1, maxLength: 6 }),
      fc.array(windowed, { minLength: 1, maxLength: 6 }),
      ([events, , at], first, second) => {
        const kept = new KeptSegments({ bytes: 0 });
        const parts = cut(events, at);
        for (const [place, part] of parts.entries()) kept.add(keyOf(place), 0, decodeSegment(encodeSegment(part, { compact: false })));
        for (const queries of [first, second, first]) {
          const plan = new Plan(queries);
          plan.addKept(kept, [...parts.keys()]);
          expect(plan.results(1_000)).toStrictEqual(read([events], queries));
        }
      },
    ),
    { numRuns: 1_000 },
  );
}, 90_000);

test('slot after slot, a plan opens the segments that are new, and no other', () => {
  const kept = new KeptSegments({ bytes: 0 });
  const slots: number[] = [];
  const opened: number[] = [];
  const arrive = (minute: number): void => {
    const events = [0, 20, 40, 55].map((second): TelemetryEvent => ({
      tsMs: minute * 60 + second,
      name: 'call',
      dims: { model: 'a' },
      measures: { duration_ms: second },
    }));
    const segment = decodeSegment(encodeSegment(events, { compact: false }));
    const read = segment.readMeasure.bind(segment);
    segment.readMeasure = (name, out) => {
      opened.push(minute);
      return read(name, out);
    };
    slots.push(kept.add(keyOf(minute), 0, segment));
  };
  const asked = (['p95', 'avg', 'min', 'last'] as const).flatMap((aggregation) =>
    [2, 4].map((minutes): MetricQuery => ({
      name: null,
      subject: { kind: 'measure', measures: ['duration_ms'], orSumOf: [] },
      aggregation,
      filters: [{ kind: 'in', dim: 'model', values: ['a'], negate: false }],
      groupBy: [],
      windowMs: minutes * 60,
      ratePerMs: 1,
    })),
  );
  for (let minute = 0; minute < 12; minute++) {
    arrive(minute);
    opened.length = 0;
    // As late events are waited for, the window ends before the minute does.
    const endMs = (minute + 1) * 60 - 10;
    const queries = asked.map((query) => ({ query, endMs }));
    const plan = new Plan(queries);
    plan.addKept(kept, slots);
    expect(new Set(opened)).toEqual(new Set([minute]));
    expect(plan.results(10).every((result) => result.kind === 'series' && result.series[0]!.samples > 0)).toBe(true);
  }
});

test('many queries in one plan answer what each would alone, and what their definitions say', () => {
  fc.assert(
    fc.property(divided, fc.array(windowed, { minLength: 1, maxLength: 6 }), ([events, , at], queries) => {
      const results = read(cut(events, at), queries);
      for (const [place, each] of queries.entries()) expectSame(results[place]!, byDefinition(events, each));
    }),
    { numRuns: 2_000 },
  );
});

test('a window holds its start and not its end', () => {
  const events = [10, 20, 30].map((tsMs): TelemetryEvent => ({ tsMs, name: 'call', dims: {}, measures: {} }));
  const counting: MetricQuery = {
    name: null,
    subject: { kind: 'event' },
    aggregation: 'count',
    filters: [],
    groupBy: [],
    windowMs: 20,
    ratePerMs: 1,
  };
  expect(read([events], [{ query: counting, endMs: 30 }])).toEqual([
    { kind: 'series', series: [{ labels: {}, value: 2, samples: 2 }], dropped: 0 },
  ]);
});

test('past the bound the series with the most samples are kept and the rest counted', () => {
  const events = ['a', 'b', 'b', 'c', 'c', 'c', 'd'].map((model, tsMs): TelemetryEvent => ({
    tsMs,
    name: 'call',
    dims: { model },
    measures: {},
  }));
  const grouped: MetricQuery = {
    name: null,
    subject: { kind: 'event' },
    aggregation: 'count',
    filters: [],
    groupBy: ['model'],
    windowMs: 100,
    ratePerMs: 1,
  };
  expect(read([events], [{ query: grouped, endMs: 50 }], 3)).toEqual([
    {
      kind: 'series',
      series: [
        { labels: { model: 'c' }, value: 3, samples: 3 },
        { labels: { model: 'b' }, value: 2, samples: 2 },
        { labels: { model: 'a' }, value: 1, samples: 1 },
      ],
      dropped: 1,
    },
  ]);
});

/** The definitions, word by word. */
function byDefinition(events: readonly TelemetryEvent[], { query: { subject: of, ...asked }, endMs }: WindowedQuery) {
  const inWindow = events.filter(({ tsMs }) => tsMs >= endMs - asked.windowMs && tsMs < endMs);
  const chosen = inWindow.filter(
    // Values of saved metrics were sent by nobody: whoever wants them says so.
    (each) =>
      (asked.name === null ? !each.name.startsWith('metric.') : each.name === asked.name) &&
      asked.filters.every((test_) => passes(each, test_)),
  );
  const samples = chosen.map((each) => ({ ...each, worth: worthOf(each, of) })).filter(({ worth }) => worth !== null);
  const groups = Map.groupBy(samples, ({ dims }) => JSON.stringify(asked.groupBy.map((dim) => dims[dim] ?? '')));
  if (asked.groupBy.length === 0 && samples.length === 0) groups.set('[]', []);
  return new Map(
    [...groups].map(([key, inGroup]) => [key, { samples: inGroup.length, value: aggregate(inGroup), scale: scaleOf(inGroup) }]),
  );

  /** The definitions add naively, so they are off by as much as their largest intermediate sum is rounded. */
  function scaleOf(group: typeof samples): number {
    return group.reduce((total, { worth }) => total + Math.abs(Number(worth) || 0), 0);
  }

  function aggregate(group: typeof samples): number | null {
    const numbers = group.map(({ worth }) => Number(worth)).sort((a, b) => a - b);
    const hits = of.kind === 'share' ? numbers.filter((worth) => worth === 100).length : group.length;
    const sum = numbers.reduce((total, worth) => total + worth, 0);
    const newest = Math.max(...group.map(({ tsMs }) => tsMs));
    if (asked.aggregation === 'count') return hits;
    if (asked.aggregation === 'rate') return (hits * asked.ratePerMs) / asked.windowMs;
    if (asked.aggregation === 'sum') return sum;
    if (group.length === 0) return null;
    switch (asked.aggregation) {
      case 'avg':
        return sum / group.length;
      case 'min':
        return numbers[0]!;
      case 'max':
        return numbers.at(-1)!;
      case 'last':
        return Math.max(...group.filter(({ tsMs }) => tsMs === newest).map(({ worth }) => Number(worth)));
      case 'distinct':
        return new Set(group.map(({ worth }) => (worth === 0 ? 0 : worth))).size;
      default: {
        const rank = (Number(asked.aggregation.slice(1)) / 100) * (numbers.length - 1);
        const [below, above] = [numbers[Math.floor(rank)]!, numbers[Math.ceil(rank)]!];
        return below + (above - below) * (rank - Math.floor(rank));
      }
    }
  }
}

function worthOf({ dims, measures }: TelemetryEvent, of: Subject): number | string | null {
  switch (of.kind) {
    case 'event':
      return 1;
    case 'dim':
      return dims[of.dim] ?? null;
    case 'share':
      return dims[of.dim] === undefined ? null : of.values.includes(dims[of.dim]!) ? 100 : 0;
    case 'measure': {
      const first = of.measures.find((name) => name in measures);
      if (first !== undefined) return measures[first]!;
      const summed = of.orSumOf.filter((name) => name in measures);
      return summed.length === 0 ? null : summed.reduce((total, name) => total + measures[name]!, 0);
    }
  }
}

function passes({ dims, measures }: TelemetryEvent, by: Filter): boolean {
  switch (by.kind) {
    case 'in':
      return (dims[by.dim] !== undefined && by.values.includes(dims[by.dim]!)) !== by.negate;
    case 'prefix':
      return (dims[by.dim]?.startsWith(by.prefix) ?? false) !== by.negate;
    case 'exists':
      return (by.field in dims || by.field in measures) !== by.negate;
    case 'measure': {
      const value = measures[by.measure];
      if (value === undefined) return false;
      return {
        '>': value > by.value,
        '>=': value >= by.value,
        '<': value < by.value,
        '<=': value <= by.value,
        '==': value === by.value,
        '!=': value !== by.value,
      }[by.operator];
    }
  }
}

function expectSame(result: QueryResult, expected: ReturnType<typeof byDefinition>): void {
  if (result.kind !== 'series') throw new Error(result.kind === 'failed' ? result.message : 'warming');
  expect(result.series.length).toBe(expected.size);
  for (const { labels, value, samples } of result.series) {
    const {
      value: wanted,
      samples: count,
      scale,
    } = expected.get(
      JSON.stringify(
        Object.keys(labels)
          .sort()
          .map((dim) => labels[dim]),
      ),
    )!;
    expect(samples).toBe(count);
    if (wanted === null || value === null) expect(value).toBe(wanted);
    else expect(Math.abs(value - wanted)).toBeLessThanOrEqual(1e-13 * (scale + Math.abs(wanted)));
  }
}

const PER_MODEL: MetricQuery = {
  name: null,
  subject: { kind: 'measure', measures: ['duration_ms'], orSumOf: [] },
  aggregation: 'max',
  filters: [],
  groupBy: ['model'],
  windowMs: 100,
  ratePerMs: 1,
};

/** `count` models; the higher its number, the slower a model is; of m0 there is more. */
const models = (count: number): TelemetryEvent[] =>
  Array.from({ length: count + 5 }, (_, index) => {
    const model = index < count ? index : 0;
    return { tsMs: 10, name: 'call', dims: { model: `m${model}` }, measures: { duration_ms: model } };
  });

test('for a rule the worst series are kept, not those of most samples, and what it knows is answered whatever it is', () => {
  const choice = { of: { known: [{ model: 'm1' }, { model: 'gone' }] }, worst: 'high', threshold: 0, minSamples: 1 } as const;
  expect(read([models(100)], [{ query: PER_MODEL, endMs: 50, choice }], 2)).toEqual([
    {
      kind: 'series',
      series: [
        { labels: { model: 'gone' }, value: null, samples: 0 },
        { labels: { model: 'm1' }, value: 1, samples: 1 },
        { labels: { model: 'm98' }, value: 98, samples: 1 },
        { labels: { model: 'm99' }, value: 99, samples: 1 },
      ],
      dropped: 97,
    },
  ]);
});

test('what one query of a rule chose all of them answer, so that a condition over several is judged whole', () => {
  const choice = { of: { known: [] }, worst: 'high', threshold: 0, minSamples: 1 } as const;
  const slow: WindowedQuery = { query: PER_MODEL, endMs: 50, choice };
  const fast: WindowedQuery = { query: { ...PER_MODEL, windowMs: 99 }, endMs: 50, choice: { ...choice, worst: 'low' } };
  const nothing: WindowedQuery = { query: { ...PER_MODEL, aggregation: 'count', windowMs: 20 }, endMs: 50, choice };
  const [ofSlow, ofFast, ofNothing] = read([models(100)], [slow, fast, nothing], 1);
  const namesOf = (result: QueryResult | undefined): unknown =>
    result?.kind === 'series' && [result.series.map(({ labels, value }) => [labels['model'], value]), result.dropped];
  expect(namesOf(ofSlow)).toEqual([
    [
      ['m0', 0],
      ['m99', 99],
    ],
    98,
  ]);
  expect(namesOf(ofFast)).toEqual(namesOf(ofSlow));
  expect(namesOf(ofNothing)).toEqual([[], 0]);
});

test('past the bound of series looked at, the windows with the most are given up and say so; at the bound none is', () => {
  const queries: WindowedQuery[] = [
    { query: PER_MODEL, endMs: 50 },
    { query: { ...PER_MODEL, filters: [{ kind: 'in', dim: 'model', values: ['m1', 'm2'], negate: false }] }, endMs: 50 },
    { query: { ...PER_MODEL, windowMs: 60 }, endMs: 50 },
  ];
  const outcome = (maxGathered: number): string[] => {
    const room = new SeriesRoom(maxGathered);
    const plan = new Plan(queries, room);
    for (const part of cut(models(100), [30, 60])) plan.add(decodeSegment(encodeSegment(part, { compact: false })));
    expect(room.taken).toBeLessThanOrEqual(maxGathered);
    return plan
      .results(1_000)
      .map((result) => (result.kind === 'series' ? `${result.series.length}` : result.kind === 'failed' ? result.code : 'warming'));
  };
  expect(outcome(202)).toEqual(['100', '2', '100']);
  expect(outcome(201)).toEqual(['100', '2', 'too_many_series']);
  expect(outcome(101)).toEqual(['too_many_series', '2', 'too_many_series']);
});

test('many queries, divided, answer what they do in one plan, whether segments are kept, new or replaced meanwhile', () => {
  const parts = cut(models(100), [10, 30, 60, 80]).map((part) => decodeSegment(encodeSegment(part, { compact: false })));
  const kept = new KeptSegments({ bytes: 0 });
  for (const [place, part] of parts.slice(0, 3).entries()) kept.add(keyOf(place), 0, part);
  const of = { known: [{ model: 'm3' }] };
  const queries = Array.from({ length: 300 }, (_, index): WindowedQuery => {
    const query = { ...PER_MODEL, groupBy: index % 3 === 0 ? [] : ['model'], windowMs: 20 + index };
    return index < 40 ? { query, endMs: 50, choice: { of, worst: 'low', threshold: 0, minSamples: 1 } } : { query, endMs: 50 };
  });
  const whole = new Plan(queries);
  const divided = new RequestPlans({ tenantId: '', queries }, Infinity);
  for (const part of parts) whole.add(part);
  divided.addKept(kept, [0, 1, 2]);
  for (const part of parts.slice(3)) divided.add(part);
  kept.segments[1] = parts[0]!;
  const results: QueryResult[] = [];
  const turns = [...divided.answering(10, results)].length;
  expect(results).toStrictEqual(whole.results(10));
  expect(turns).toBeGreaterThan(300);
});
