import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answered, comparison, FAILED, MINUTE, only, ruleOf } from '../test/a-rule.ts';
import { cannotUnhappen } from './cannot-unhappen.ts';
import { judge } from './judge.ts';
import { stepRule } from './step-rule.ts';

const OWN = { metric: undefined };
const count = (over: object = {}): object => comparison({ ...OWN, aggregation: 'count', threshold: 5, ...over });
const max = (over: object = {}): object => comparison({ aggregation: 'max', ...over });

test.each<[string, object, boolean]>([
  ['a count above', count(), true],
  ['a count at or above', count({ operator: '>=' }), true],
  ['the count of a share', count({ metric: 'error_rate' }), true],
  ['a highest', max({ recover: 500, minSamples: 3 }), true],
  ['distinct values', comparison({ ...OWN, dim: 'user', aggregation: 'distinct', threshold: 3 }), true],
  ['levels', max({ threshold: { warning: 1, critical: 2 } }), true],
  ['all and any of such', { all: [count(), { any: [max(), count({ name: 'a' })] }] }, true],
  ['a count below', count({ operator: '<' }), false],
  ['a count that is not', count({ operator: '!=' }), false],
  ['a total, whose parts may be negative', comparison({ aggregation: 'sum' }), false],
  ['a percentile', comparison(), false],
  ['a share', comparison({ metric: 'error_rate', threshold: 5 }), false],
  ['one of several that may fall', { all: [count(), comparison()] }, false],
  ['a negation', { not: count() }, false],
  [
    'a ratio',
    { numerator: { aggregation: 'count' }, denominator: { aggregation: 'count' }, window: '5m', operator: '>', threshold: 5 },
    false,
  ],
  ['absence', { name: 'a', absentFor: '5m' }, false],
  ['another rule', { all: [count(), { rule: 'other', is: 'firing' }] }, false],
  ['a change', count({ threshold: { change: { percent: 50, versus: '1h' } } }), false],
  ['a baseline', count({ threshold: { baseline: { multiplier: 2 } } }), false],
  ['a budget', count({ window: 'day', threshold: { budget: { amount: 10, steps: [100] } } }), false],
])('%s: it cannot un-happen is %s', (_, condition, expected) => {
  expect(cannotUnhappen(ruleOf({ condition }))).toBe(expected);
});

test('more events never turn such a breach into anything else', () => {
  const rule = ruleOf({ condition: { all: [count({ minSamples: 2 }), { any: [max(), count({ name: 'a', threshold: 8 })] }] } });
  const values = fc.array(fc.double({ min: 0, max: 2_000, noNaN: true }), { maxLength: 12 });
  const verdict = (events: readonly number[]): string => {
    const highest = events.length === 0 ? null : Math.max(...events);
    const answers = [only(events.length, events.length), only(highest, events.length), only(events.length, events.length)];
    return judge(rule, answers, []).judgements[0]!.verdict;
  };
  fc.assert(
    fc.property(values, values, (early, late) => {
      fc.pre(verdict(early) === 'breach');
      expect(verdict([...early, ...late])).toBe('breach');
    }),
  );
});

const rule = ruleOf({ condition: count({ threshold: { warning: 5, critical: 50 } }) });
const steps = (own: Parameters<typeof only>[0] | null, early: Parameters<typeof only>[0] | null) => {
  const answer = (value: number | null) => (value === null ? FAILED : only(value));
  const time = { slotMs: MINUTE, previousSlotMs: 0, everyMs: MINUTE };
  const { series, health } = stepRule(rule, [answer(own)], [], time, { early: [answer(early)] });
  const { judgement, step } = series[0]!;
  return { value: judgement.lead.value, severity: judgement.severity, early: judgement.isEarly === true, reason: step.reason, health };
};

test.each([
  ['breaches early', 0, 6, { value: 6, early: true, reason: 'fired', severity: 'warning' }],
  ['breaches worse early', 6, 60, { value: 60, early: true, reason: 'fired', severity: 'critical' }],
  ['breaches as badly early', 6, 7, { value: 6, early: false, reason: 'fired', severity: 'warning' }],
  ['breaches late alone', 6, 0, { value: 6, early: false, reason: 'fired' }],
  ['does not breach at all', 4, 5, { value: 4, early: false, reason: 'clear' }],
  ['fails early', 4, null, { value: 4, early: false, reason: 'clear', health: 'ok' }],
])('a series that %s is judged by the one window or the other', (_, own, early, expected) => {
  expect(steps(own, early)).toMatchObject(expected);
});

test('a series that begins early is judged, and of more series than are judged the worst', () => {
  const grouped = ruleOf({ condition: count(), groupBy: ['user'], maxSeries: 2 });
  const series = (counts: Record<string, number>) =>
    answered(...Object.entries(counts).map(([user, value]) => ({ labels: { user }, value, samples: value })));
  const time = { slotMs: MINUTE, previousSlotMs: 0, everyMs: MINUTE };
  const step = stepRule(grouped, [series({ a: 1, b: 7 })], [], time, { early: [series({ a: 1, b: 8, c: 9, d: 2 })] });
  const seen = step.series.map(({ judgement }) => [judgement.labels['user'], judgement.lead.value, judgement.isEarly === true]);
  expect(seen.toSorted()).toEqual([
    ['b', 7, false],
    ['c', 9, true],
  ]);
  expect(step).toMatchObject({ dropped: 1, health: 'ok' });
});
