import { describe, expect, test } from 'vitest';
import { answered, comparison, FAILED, only, ruleOf } from '../test/a-rule.ts';
import { answersOf } from './answers-of.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Fit } from './fit-model.ts';
import { judge, type Circumstances } from './judge.ts';
import type { QueryResult } from './reading.ts';
import { traceCondition, type SeriesTrace, type TraceNode } from './trace-condition.ts';
import { windowsAt } from './windows-at.ts';

const END = Date.UTC(2026, 2, 4, 12);
const known = (centre: number): Fit => ({
  kind: 'buckets',
  season: 'none',
  buckets: [{ centre, spread: 10, points: 100 }],
  toMs: END,
});

const traced = (
  rule: CompiledRule,
  results: QueryResult[],
  { isHeld = false, key = '{}', ...circumstances }: Circumstances & { isHeld?: boolean; key?: string } = {},
): SeriesTrace => traceCondition(rule, answersOf(rule, results, { endMs: END, ...circumstances })(key), windowsAt(rule, END), isHeld);

/** `all(T, not(F))`: T true, F false, ? nobody can say. */
const shape = (node: TraceNode): string => {
  const holds = node.holds === null ? '?' : node.holds ? 'T' : 'F';
  if (node.kind === 'comparison') return holds;
  return node.kind === 'not' ? `${holds}:not(${shape(node.child)})` : `${holds}:${node.kind}(${node.children.map(shape).join(', ')})`;
};

const high = comparison();
const low = comparison({ metric: 'throughput', operator: '<', threshold: 1 });

describe('the tree says of every part whether it holds', () => {
  test.each([
    { condition: { all: [high, { not: low }] }, results: [only(2_000), only(5)], tree: 'T:all(T, T:not(F))' },
    { condition: { all: [high, { not: low }] }, results: [only(null), only(5)], tree: '?:all(?, T:not(F))' },
    { condition: { all: [high, { not: low }] }, results: [FAILED, only(0)], tree: 'F:all(?, F:not(T))' },
    { condition: { any: [high, low] }, results: [FAILED, only(0)], tree: 'T:any(?, T)' },
    { condition: { any: [high, low] }, results: [FAILED, only(5)], tree: '?:any(?, F)' },
  ])('$tree', ({ condition, results, tree }) => {
    expect(shape(traced(ruleOf({ condition }), results).tree)).toBe(tree);
  });
});

test('a comparison carries its window, numbers, samples and what they are compared with', () => {
  const rule = ruleOf({ condition: comparison({ minSamples: 20 }) });
  expect(traced(rule, [only(1_500, 10)]).comparisons).toEqual([
    {
      kind: 'comparison',
      index: 0,
      metric: 'latency',
      aggregation: 'p95',
      unit: 'ms',
      window: { fromMs: END - 300_000, toMs: END },
      basis: 'events',
      samples: 10,
      minSamples: 20,
      value: 1_500,
      operator: '>',
      threshold: 1_000,
      verdict: 'unknown',
      holds: null,
      origin: null,
      why: '10 samples, where 20 are needed',
      levels: [],
    },
  ]);
});

test.each([
  { what: 'no reading', results: [only(null)], why: 'there is no reading' },
  { what: 'a failed query', results: [FAILED], why: 'it could not be read' },
  {
    what: 'hours that are prepared',
    results: [{ kind: 'warming' as const, missingHours: 3 }],
    why: 'closed hours that are needed are still being prepared',
  },
  { what: 'a plain number', results: [only(5)], why: null },
])('$what is told as: $why', ({ results, why }) => {
  expect(traced(ruleOf(), results).comparisons[0]?.why).toBe(why);
});

test('a threshold that moves says where it came from, in words and as data', () => {
  const rule = ruleOf({ condition: comparison({ threshold: { baseline: { multiplier: 2, lookback: '7d', season: 'none' } } }) });
  const [trace] = traced(rule, [only(900)], { fits: [{ kind: 'fits', of: new Map([['{}', known(300)]]) }] }).comparisons;
  expect(trace).toMatchObject({ threshold: 600, holds: true, origin: { kind: 'baseline', baseline: 300, multiplier: 2 } });
  expect(trace?.why).toContain('is 300 ms, times 2');
  expect(traced(rule, [only(900)]).comparisons[0]).toMatchObject({ verdict: 'failed', threshold: null });
  expect(traced(rule, [only(900)], { fits: [{ kind: 'fits', of: new Map() }] }).comparisons[0]).toMatchObject({
    verdict: 'not_ready',
    why: 'the series is not known for long enough to say what is usual',
  });
});

test('each level says what it says, and the worst that breaches speaks', () => {
  const rule = ruleOf({ condition: comparison({ threshold: { warning: 1_000, error: 2_000, critical: 3_000 } }) });
  const trace = traced(rule, [only(2_500)]);
  expect([trace.severity, trace.verdict, trace.comparisons[0]?.threshold]).toEqual(['error', 'breach', 2_000]);
  expect(trace.comparisons[0]?.levels).toEqual([
    { severity: 'warning', threshold: 1_000, verdict: 'breach' },
    { severity: 'error', threshold: 2_000, verdict: 'breach' },
    { severity: 'critical', threshold: 3_000, verdict: 'clear' },
  ]);
});

test('while its alert is open, what counts is `recover`', () => {
  const rule = ruleOf({ condition: comparison({ recover: 800 }) });
  expect(shape(traced(rule, [only(900)]).tree)).toBe('F');
  expect(shape(traced(rule, [only(900)], { isHeld: true }).tree)).toBe('T');
});

describe('the root and the lead are those of the judgement', () => {
  const share = { numerator: { name: 'paid' }, denominator: { name: 'asked' }, window: '5m', operator: '>', threshold: 10, minSamples: 3 };
  const rules: Record<string, object> = {
    plain: { condition: high },
    tree: { condition: { any: [{ all: [high, low] }, { not: high }] } },
    levels: { condition: { all: [comparison({ threshold: { warning: 1, critical: 1_500 } }), low] } },
    ratio: { condition: { any: [share, low] } },
    change: { condition: comparison({ threshold: { change: { percent: 50, versus: '1h' } } }) },
    silence: { condition: { absentFor: '10m', name: 'backup' } },
    baseline: { condition: comparison({ threshold: { baseline: { multiplier: 2, lookback: '7d', season: 'none' } } }) },
    another: { condition: { all: [{ rule: 'other', is: 'firing' }, high] } },
  };
  const values: QueryResult[] = [only(0), only(5), only(2_000), only(1_200, 2), only(null), FAILED, { kind: 'warming', missingHours: 1 }];
  const fits = [{ kind: 'fits' as const, of: new Map([['{}', known(700)]]) }];
  test.each(Object.entries(rules))('of a rule of kind %s', (_, over) => {
    const rule = ruleOf(over);
    const circumstances = { endMs: END, fits, references: [true] };
    const combinations = rule.windows.reduce<QueryResult[][]>(
      (all) => all.flatMap((some) => values.map((value) => [...some, value])),
      [[]],
    );
    for (const results of combinations) {
      const judgement = judge(rule, results, [], circumstances).judgements[0]!;
      const plain = traced(rule, results, circumstances);
      const held = traced(rule, results, { ...circumstances, isHeld: true });
      expect([plain.verdict, plain.tree.verdict, held.verdict]).toEqual([judgement.verdict, judgement.verdict, judgement.whileFiring]);
      if (judgement.verdict === 'breach') expect(plain.severity).toBe(judgement.severity);
      const shown = judgement.verdict === 'clear' && judgement.whileFiring === 'breach' ? held : plain;
      const { comparison: lead, value, threshold, samples, operator } = judgement.lead;
      expect(shown.lead).toBe(lead);
      expect(shown.comparisons[lead]).toMatchObject({ value, threshold, samples, operator });
    }
    expect(combinations.length).toBeGreaterThan(1);
  });

  test('of a grouped rule, series by series', () => {
    const rule = ruleOf({
      groupBy: ['model'],
      condition: { all: [high, comparison({ metric: 'throughput', threshold: 1, groupBy: [] })] },
    });
    const results = [
      answered({ labels: { model: 'a' }, value: 2_000, samples: 5 }, { labels: { model: 'b' }, value: 20, samples: 5 }),
      only(9),
    ];
    for (const { seriesKey, verdict } of judge(rule, results, []).judgements)
      expect(traced(rule, results, { key: seriesKey }).verdict).toBe(verdict);
  });
});
