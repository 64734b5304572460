import { describe, expect, test } from 'vitest';
import { comparison, ruleOf } from '../test/a-rule.ts';
import { compare, compareAt } from './compare-at.ts';
import type { Comparison } from './compiled-rule.ts';
import { measureValue } from './measure-value.ts';
import { OPERATORS, type Operator } from './metric-query.ts';
import type { Answer } from './series-answers.ts';
import type { Verdict } from './series-state.ts';

/** What a comparison of one window says of what was read in it. */
function verdictOf(one: Comparison, answer: Answer, isHeld: boolean): Verdict {
  const answers = { windows: [answer], histories: [], references: [], endMs: 0 };
  return compareAt(one, 0, isHeld, measureValue(one, answers), answers).verdict;
}

describe('operators', () => {
  /** For a value below, at and above the threshold. */
  const EDGES: Record<Operator, [boolean, boolean, boolean]> = {
    '>': [false, false, true],
    '>=': [false, true, true],
    '<': [true, false, false],
    '<=': [true, true, false],
    '==': [false, true, false],
    '!=': [true, false, true],
  };
  const NEIGHBOURS: [number, number, number][] = [
    [999, 1_000, 1_001],
    [-1, 0, 1],
    [-Number.MIN_VALUE, 0, Number.MIN_VALUE],
    [-1_001, -1_000, -999],
    [0.1, 0.1 + Number.EPSILON, 0.3],
    [2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2],
    [-Number.MAX_VALUE, 5, Number.MAX_VALUE],
  ];

  test.each(OPERATORS.flatMap((operator) => NEIGHBOURS.map((values) => [operator, values] as const)))(
    '%s around %j',
    (operator, [below, at, above]) => {
      expect([below, at, above].map((value) => compare(value, operator, at))).toEqual(EDGES[operator]);
    },
  );

  test.each(OPERATORS)('%s takes 0 and −0 for the same', (operator) => {
    expect(compare(-0, operator, 0)).toBe(compare(0, operator, 0));
  });
});

describe('one comparison', () => {
  const [plain] = ruleOf({ condition: comparison({ minSamples: 10, recover: 800 }) }).comparisons;
  const [counting] = ruleOf({ condition: { window: '5m', operator: '<', threshold: 1 } }).comparisons;
  if (plain === undefined || counting === undefined) throw new Error('no comparison');
  const reading = (value: number | null, samples = 10) => ({ labels: {}, value, samples });

  test.each(OPERATORS.flatMap((operator) => [Number.NaN, Infinity, -Infinity, null].map((value) => [value, operator] as const)))(
    '%s %s is no reading, whatever is asked',
    (value, operator) => {
      expect(verdictOf({ ...plain, operator }, reading(value), false)).toBe('unknown');
      expect(verdictOf({ ...plain, operator }, reading(value), true)).toBe('unknown');
    },
  );

  test('with fewer samples than asked is unknown', () => {
    expect([9, 10, 11].map((samples) => verdictOf(plain, reading(5_000, samples), false))).toEqual(['unknown', 'breach', 'breach']);
  });

  test('while firing is held against recover', () => {
    expect([801, 800, 799].map((value) => verdictOf(plain, reading(value), true))).toEqual(['breach', 'clear', 'clear']);
    expect(verdictOf(plain, reading(801), false)).toBe('clear');
  });

  test('of an empty window counts where it is 0', () => {
    expect(verdictOf(counting, reading(0, 0), false)).toBe('breach');
    expect(verdictOf({ ...counting, minSamples: 2 }, reading(0, 0), false)).toBe('unknown');
  });

  test('whose query failed is failed', () => {
    expect(verdictOf(plain, 'failed', false)).toBe('failed');
  });
});
