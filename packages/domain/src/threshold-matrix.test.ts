import { describe, expect, test } from 'vitest';
import { past } from '../test/a-past.ts';
import { draft, FAILED, HOUR, MINUTE, only, ruleOf } from '../test/a-rule.ts';
import { AGGREGATIONS } from './aggregations.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { fitModel } from './fit-model.ts';
import { judge, type Fits } from './judge.ts';
import { OPERATORS, type Operator } from './metric-query.ts';
import { parseRule } from './parse-rule.ts';
import type { QueryResult } from './reading.ts';

const DAY = 24 * HOUR;
const AT = 7 * DAY + 10 * HOUR;

/** A week around 100: its median, and that of each hour, with a spread of some 3. Its trend is flat. */
const WEEK = past(7 * 24, (_hour, minute) => (minute % 10 === 0 ? 98 : 102));

/** Each kind so that 120 is where it breaks upwards, and 80 downwards where it has two sides; a spread is 1.4826 × 2. */
const KINDS = {
  fixed: 120,
  levels: { warning: 120, critical: 400 },
  baseline: { baseline: { multiplier: 1.2 } },
  change: { change: { percent: 20, versus: '1d' } },
  anomaly: { anomaly: { score: 20 / (2 * 1.4826) } },
  forecast: { forecast: { crosses: 120, within: '4h' } },
  budget: { budget: { amount: 120, steps: [100] } },
} as const;
type Kind = keyof typeof KINDS;

const UP = { '>': '119 c, 121 b', '>=': '119 c, 121 b', '<': '119 b, 121 c', '<=': '119 b, 121 c' } as const;
/** For a day that went down, looking below 80. */
const TWO_SIDED = { '>': '79 c, 119 c, 121 b', '>=': '79 c, 119 c, 121 b', '<': '79 b, 81 c, 121 c', '<=': '79 b, 81 c, 121 c' } as const;

/** What each operator says of values around the threshold (`b`reach, `c`lear), or what the parser says of it. */
const EXPECTED: Readonly<Record<Kind, Readonly<Record<Operator, string>>>> = {
  fixed: {
    '>': '119 c, 120 c, 121 b',
    '>=': '119 c, 120 b, 121 b',
    '<': '119 b, 120 c, 121 c',
    '<=': '119 b, 120 b, 121 c',
    '==': '119 c, 120 b, 121 c',
    '!=': '119 b, 120 c, 121 b',
  },
  levels: {
    '>': '120 c, 121 b warning, 400 b warning, 401 b critical',
    '>=': '119 c, 120 b warning, 399 b warning, 400 b critical',
    '<': '/condition/threshold/critical level_order',
    '<=': '/condition/threshold/critical level_order',
    '==': '119 c, 120 b warning, 121 c, 400 b critical',
    '!=': '/condition/threshold no_meaning',
  },
  baseline: { ...UP, '==': '/condition/threshold/baseline no_meaning', '!=': '/condition/threshold/baseline no_meaning' },
  change: { ...TWO_SIDED, '==': '/condition/threshold/change no_meaning', '!=': '79 b, 80 c, 100 c, 120 c, 121 b' },
  anomaly: { ...TWO_SIDED, '==': '/condition/threshold/anomaly no_meaning', '!=': '79 b, 81 c, 100 c, 119 c, 121 b' },
  forecast: { ...UP, '==': '/condition/threshold/forecast no_meaning', '!=': '/condition/threshold/forecast no_meaning' },
  budget: {
    '>': '120 c, 121 b',
    '>=': '119 c, 120 b',
    '<': '/condition/threshold/budget no_meaning',
    '<=': '/condition/threshold/budget no_meaning',
    '==': '/condition/threshold/budget no_meaning',
    '!=': '/condition/threshold/budget no_meaning',
  },
};

const isRefused = (expected: string): boolean => expected.startsWith('/');

const CASES = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
  OPERATORS.flatMap((operator) => AGGREGATIONS.map((aggregation) => ({ kind, operator, aggregation, expected: EXPECTED[kind][operator] }))),
);

const conditionOf = (kind: Kind, operator: string, aggregation: string): object => {
  const subject = aggregation === 'distinct' ? { dim: 'user' } : { measure: 'queue_depth' };
  return { ...subject, aggregation, window: kind === 'budget' ? 'day' : '5m', operator, threshold: KINDS[kind] };
};

const fitsOf = (rule: CompiledRule): Fits[] =>
  rule.histories.map(({ model, lookbackMs }) => {
    const steps = lookbackMs / (5 * MINUTE);
    const cut = { ...WEEK, values: WEEK.values.subarray(-steps), samples: WEEK.samples.subarray(-steps) };
    return { kind: 'fits', of: new Map([['{}', fitModel(model, cut, 7 * DAY - lookbackMs)]]) };
  });

/** The windows of a change are the rule's own and the one before, which is worth 100. */
const answersTo = (rule: CompiledRule, own: QueryResult): QueryResult[] =>
  rule.windows.map(({ backMs }) => (backMs === 0 ? own : only(100)));

const judged = (rule: CompiledRule, own: QueryResult, fits: Fits[] = fitsOf(rule)) =>
  judge(rule, answersTo(rule, own), [], { endMs: AT, fits }).judgements[0];

describe('every operator, aggregation and kind of threshold', () => {
  test('is in the table', () => {
    expect(CASES).toHaveLength(7 * 6 * 12);
  });

  test.each(CASES)('$kind $operator $aggregation: $expected', ({ kind, operator, aggregation, expected }) => {
    const parsed = parseRule(draft({ condition: conditionOf(kind, operator, aggregation) }));
    const complaints = parsed.ok ? [] : parsed.issues.map(({ pointer, code }) => `${pointer} ${code}`);
    // What reads every event reaches back 6 h, a day is more.
    const tooLong = kind === 'budget' && ['distinct', 'last'].includes(aggregation) ? ['/condition/window out_of_range'] : [];
    if (isRefused(expected) || tooLong.length > 0) {
      expect(complaints.toSorted()).toEqual([...tooLong, ...(isRefused(expected) ? [expected] : [])].toSorted());
      return;
    }
    expect(complaints).toEqual([]);
    const rule = ruleOf({ condition: conditionOf(kind, operator, aggregation) });
    const said = expected.split(', ').map((each) => {
      const value = Number.parseFloat(each);
      const judgement = judged(rule, only(value));
      const level = kind === 'levels' && judgement?.verdict === 'breach' ? ` ${judgement.severity}` : '';
      return `${value} ${judgement?.verdict[0]}${level}`;
    });
    expect(said.join(', ')).toBe(expected);
  });
});

describe.each(CASES.filter(({ aggregation, expected }) => aggregation === 'avg' && !isRefused(expected)))(
  'what $kind $operator cannot compare',
  ({ kind, operator, aggregation }) => {
    const rule = ruleOf({ condition: conditionOf(kind, operator, aggregation) });

    test('is no verdict: without a reading unknown, of a failed query failed, of hours that are prepared not ready', () => {
      expect(judged(rule, only(null))?.verdict).toBe('unknown');
      expect(judged(rule, FAILED)?.verdict).toBe('failed');
      expect(judged(rule, { kind: 'warming', missingHours: 1 })?.verdict).toBe('not_ready');
    });

    test('is no verdict while its past is not known', () => {
      const of = (fits: Fits): string | undefined =>
        judged(
          rule,
          only(1e9),
          rule.histories.map(() => fits),
        )?.verdict;
      const hasPast = rule.histories.length > 0;
      const otherwise = judged(rule, only(1e9))?.verdict;
      expect(of({ kind: 'warming' })).toBe(hasPast ? 'not_ready' : otherwise);
      expect(of({ kind: 'failed' })).toBe(hasPast ? 'failed' : otherwise);
      expect(of({ kind: 'fits', of: new Map() })).toBe(hasPast ? 'not_ready' : otherwise);
    });
  },
);
