import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answered, comparison, FAILED, only, ruleOf } from '../test/a-rule.ts';
import { meaning, METRIC_NAMES } from './catalogue.ts';
import { judge, type KnownSeries } from './judge.ts';
import { OPERATORS } from './metric-query.ts';
import { seriesKey, type QueryResult, type SeriesReading } from './reading.ts';
import type { Judgement } from './series-state.ts';

const METRICS = ['latency', 'error_rate', 'cost', 'throughput', 'ttft', 'token_usage', 'anomaly_severity'] as const;
const CLASSIC = ['p50', 'p90', 'p95', 'p99', 'avg', 'min', 'max', 'sum', 'count', 'rate'] as const;
const MEANINGFUL = METRICS.flatMap((metric) =>
  CLASSIC.filter((aggregation) => meaning({ metric }, aggregation) !== null).map((aggregation) => [metric, aggregation] as const),
);

const verdicts = (judgements: readonly Judgement[]): Record<string, string> =>
  Object.fromEntries(judgements.map(({ seriesKey: key, verdict }) => [key, verdict]));
const series = (operation: string, value: number | null, samples = 10): SeriesReading => ({ labels: { operation }, value, samples });
const known = (operation: string, isOpen = false): KnownSeries => ({ seriesKey: seriesKey({ operation }), labels: { operation }, isOpen });
const key = (operation: string): string => seriesKey({ operation });

describe('every metric, aggregation and operator', () => {
  test('the table covers what the catalogue promises', () => {
    expect(METRIC_NAMES).toEqual(expect.arrayContaining([...METRICS]));
    expect(MEANINGFUL).toHaveLength(5 * 10 + 3 + 4);
  });

  const table = MEANINGFUL.flatMap(([metric, aggregation]) => OPERATORS.map((operator) => [metric, aggregation, operator] as const));
  const EXPECTED = {
    '>': ['clear', 'clear', 'breach'],
    '>=': ['clear', 'breach', 'breach'],
    '<': ['breach', 'clear', 'clear'],
    '<=': ['breach', 'breach', 'clear'],
    '==': ['clear', 'breach', 'clear'],
    '!=': ['breach', 'clear', 'breach'],
  };

  test.each(table)('%s %s %s', (metric, aggregation, operator) => {
    const rule = ruleOf({ condition: comparison({ metric, aggregation, operator, threshold: 50 }) });
    const judged = [49.999, 50, 50.001].map((value) => judge(rule, [only(value)], []).judgements[0]?.verdict);
    expect(judged).toEqual(EXPECTED[operator]);
    expect(judge(rule, [only(null)], []).judgements[0]?.verdict).toBe('unknown');
    expect(judge(rule, [only(Number.NaN)], []).judgements[0]?.verdict).toBe('unknown');
    expect(judge(rule, [FAILED], []).judgements[0]?.verdict).toBe('failed');
  });
});

describe('a rule without group-by', () => {
  test('has one series, whatever comes back', () => {
    const rule = ruleOf();
    for (const result of [only(5_000), only(null), answered(), FAILED]) {
      const { judgements } = judge(rule, [result], []);
      expect(judgements.map(({ seriesKey: name, labels }) => [name, labels])).toEqual([['{}', {}]]);
    }
    expect(judge(rule, [], []).judgements[0]?.verdict).toBe('failed');
  });

  test('says which value broke which threshold', () => {
    const rule = ruleOf({
      condition: { any: [comparison(), comparison({ metric: 'cost', operator: '>=', threshold: 5 })] },
      severity: 'critical',
    });
    expect(judge(rule, [only(900, 7), only(5, 8)], []).judgements[0]).toEqual({
      seriesKey: '{}',
      labels: {},
      verdict: 'breach',
      whileFiring: 'breach',
      seen: true,
      severity: 'critical',
      rank: 3,
      held: { severity: 'critical', rank: 3 },
      isAbsence: false,
      lead: { comparison: 1, value: 5, operator: '>=', threshold: 5, samples: 8, origin: null, notReady: null },
    });
  });

  test('that fires is held against recover, and shows the value that holds it', () => {
    const rule = ruleOf({ condition: { any: [comparison({ metric: 'cost', threshold: 5 }), comparison({ recover: 800 })] } });
    const held = judge(rule, [only(1), only(900)], []).judgements[0];
    expect(held).toMatchObject({ verdict: 'clear', whileFiring: 'breach', lead: { comparison: 1, value: 900, threshold: 1_000 } });
    expect(judge(rule, [only(1), only(700)], []).judgements[0]).toMatchObject({ verdict: 'clear', whileFiring: 'clear' });
  });

  test('that lacks a reading says so first, even where another comparison would hold an open alert', () => {
    const rule = ruleOf({
      condition: { any: [comparison({ metric: 'cost', threshold: 5 }), comparison({ metric: 'ttft', recover: 800 })] },
    });
    const lacking = { ...rule, comparisons: rule.comparisons.map((one) => ({ ...one, minSamples: 2 })) };
    expect(judge(lacking, [only(9, 1), only(900)], []).judgements[0]).toMatchObject({
      verdict: 'unknown',
      whileFiring: 'breach',
      lead: { comparison: 0, value: 9 },
    });
  });

  test('is decided by what answered where the rest cannot change it, and failed where it could', () => {
    const either = ruleOf({ condition: { any: [comparison(), comparison({ metric: 'cost' })] } });
    expect(judge(either, [only(5_000), FAILED], []).judgements[0]?.verdict).toBe('breach');
    expect(judge(either, [only(1), FAILED], []).judgements[0]).toMatchObject({ verdict: 'failed', lead: { comparison: 1, value: null } });
    const both = ruleOf({ condition: { all: [comparison(), comparison({ metric: 'cost' })] } });
    expect(judge(both, [only(1), FAILED], []).judgements[0]?.verdict).toBe('clear');
    expect(judge(both, [only(5_000), FAILED], []).judgements[0]?.verdict).toBe('failed');
  });

  test('a value that is not finite reaches nobody', () => {
    expect(judge(ruleOf(), [only(Number.NaN)], []).judgements[0]).toMatchObject({ verdict: 'unknown', seen: true, lead: { value: null } });
  });
});

describe('a grouped rule', () => {
  const rule = ruleOf({ groupBy: ['operation'] });

  test('has the series of every query and the known ones', () => {
    const both = ruleOf({ groupBy: ['operation'], condition: { any: [comparison(), comparison({ metric: 'error_rate', threshold: 5 })] } });
    const { judgements } = judge(both, [answered(series('a', 2_000)), answered(series('b', 9), series('a', 0))], [known('c'), known('a')]);
    expect(verdicts(judgements)).toEqual({ [key('a')]: 'breach', [key('b')]: 'breach', [key('c')]: 'unknown' });
  });

  test('without any series says nothing', () => {
    expect(judge(rule, [answered()], [])).toEqual({ judgements: [], dropped: 0 });
  });

  test('tells a series that answered from one that is only remembered', () => {
    const { judgements } = judge(rule, [answered(series('a', 1))], [known('a'), known('b')]);
    expect(judgements.map(({ labels, seen }) => [labels['operation'], seen])).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });

  test.each([
    [{ aggregation: 'count', metric: undefined }, 'breach'],
    [{ metric: 'cost' }, 'breach'],
    [{ metric: 'throughput' }, 'breach'],
    [{}, 'unknown'],
    [{ metric: 'error_rate' }, 'unknown'],
  ])('a known series with an empty window: %j below 1 is %s', (over, verdict) => {
    const below = ruleOf({ groupBy: ['operation'], condition: comparison({ operator: '<', threshold: 1, ...over }) });
    expect(judge(below, [answered(series('a', 5))], [known('b')]).judgements).toMatchObject([
      { verdict, seen: false, labels: { operation: 'b' } },
      { verdict: 'clear' },
    ]);
  });

  test('does not take a series for empty that a query had no room for', () => {
    const below = ruleOf({ groupBy: ['operation'], condition: { window: '5m', operator: '<', threshold: 1 } });
    const full: QueryResult = { kind: 'series', series: [series('a', 5)], dropped: 3 };
    const judged = judge(below, [full], [known('b', true)]);
    expect(verdicts(judged.judgements)).toEqual({ [key('a')]: 'clear', [key('b')]: 'failed' });
    expect(judged.dropped).toBe(3);
  });

  test('one value without group-by joins every series', () => {
    const joined = ruleOf({
      groupBy: ['operation'],
      condition: { all: [comparison(), comparison({ metric: 'throughput', threshold: 100, groupBy: [] })] },
    });
    const results = (rate: QueryResult): QueryResult[] => [answered(series('a', 2_000), series('b', 10)), rate];
    expect(verdicts(judge(joined, results(only(101)), []).judgements)).toEqual({ [key('a')]: 'breach', [key('b')]: 'clear' });
    expect(verdicts(judge(joined, results(only(99)), []).judgements)).toEqual({ [key('a')]: 'clear', [key('b')]: 'clear' });
    expect(verdicts(judge(joined, results(FAILED), []).judgements)).toEqual({ [key('a')]: 'failed', [key('b')]: 'clear' });
  });

  test('a failed query is not an empty one', () => {
    expect(judge(rule, [FAILED], [known('a')]).judgements).toMatchObject([{ verdict: 'failed', seen: false }]);
  });

  test('keeps the 1,000 worst series, open alerts before all, and counts the rest', () => {
    const readings = Array.from({ length: 1_500 }, (_, index) => series(`s${index}`, index));
    const judged = judge(rule, [answered(...readings)], [known('s0', true)]);
    const kept = judged.judgements.map(({ labels }) => Number(labels['operation']?.slice(1)));
    expect(kept).toHaveLength(1_000);
    expect(judged.dropped).toBe(500);
    expect(kept).toContain(0);
    expect(Math.min(...kept.filter((index) => index !== 0))).toBe(501);
    expect(new Set(kept)).toContain(1_499);
  });

  test.each([
    ['<', 0, 999],
    ['<=', 0, 999],
    ['>', 501, 1_500],
    ['>=', 501, 1_500],
  ])('under %s the worst lie furthest past the threshold: %d to %d', (operator, from, to) => {
    const readings = Array.from({ length: 1_501 }, (_, index) => series(`s${index}`, index)).filter(
      (_, index) => operator.startsWith('<') || index > 0,
    );
    const below = ruleOf({ groupBy: ['operation'], condition: comparison({ operator, threshold: operator.startsWith('<') ? 2_000 : -1 }) });
    const judged = judge(below, [{ kind: 'series', series: readings, dropped: 7 }], []);
    const kept = judged.judgements.map(({ lead }) => lead.value ?? Number.NaN);
    expect([Math.min(...kept), Math.max(...kept)]).toEqual([from, to]);
    expect(judged.dropped).toBe(readings.length - 1_000 + 7);
  });

  test('says the same in whatever order series come', () => {
    const results = fc
      .array(fc.tuple(fc.nat({ max: 1_400 }), fc.double({ noNaN: false })), { maxLength: 60 })
      .map((pairs) => [...new Map(pairs)].map(([name, value]) => series(`s${name}`, value)));
    fc.assert(
      fc.property(results, fc.infiniteStream(fc.nat()), (readings, random) => {
        const shuffled = readings
          .map((reading) => ({ reading, at: random.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ reading }) => reading);
        const sorted = (list: SeriesReading[]): Judgement[] =>
          judge(rule, [answered(...list)], [known('s1', true)]).judgements.sort((a, b) => (a.seriesKey < b.seriesKey ? -1 : 1));
        expect(sorted(shuffled)).toEqual(sorted(readings));
      }),
    );
  });

  test('drops the same series in whatever order they come', () => {
    const readings = Array.from({ length: 1_100 }, (_, index) => series(`s${index}`, index % 7 === 0 ? 5_000 : index % 13));
    const names = (list: SeriesReading[]): string[] =>
      judge(rule, [answered(...list)], [])
        .judgements.map(({ seriesKey: name }) => name)
        .sort();
    expect(names(readings.toReversed())).toEqual(names(readings));
  });
});
