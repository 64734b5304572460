import type { QueryResult } from '@tocsin/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rulesOverBudget, type RuleAnswers } from './series-budget.ts';

const answered = (series: number): QueryResult => ({
  kind: 'series',
  series: Array.from({ length: series }, () => ({ labels: {}, value: 1, samples: 1 })),
  dropped: 0,
});
const rule = (series: number, known = 0): RuleAnswers => ({ results: [answered(series)], known });

test('what fits exactly is judged whole; one series more leaves out the rule with the most, of equal ones the later', () => {
  expect(rulesOverBudget([rule(40), rule(30), rule(30)], 100)).toEqual(new Set());
  expect(rulesOverBudget([rule(40), rule(31), rule(30)], 100)).toEqual(new Set([0]));
  expect(rulesOverBudget([rule(50), rule(50), rule(50)], 100)).toEqual(new Set([2]));
});

test('a rule takes as much room as its largest query, or as what it knows', () => {
  expect(rulesOverBudget([{ results: [answered(10), answered(60)], known: 0 }, rule(40)], 99)).toEqual(new Set([0]));
  expect(rulesOverBudget([rule(10, 60), rule(40)], 99)).toEqual(new Set([0]));
  expect(rulesOverBudget([{ results: [{ kind: 'failed', code: 'x', message: '' }], known: 0 }], 0)).toEqual(new Set());
});

test('what is judged fits, and no rule is left out for a larger one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 50 }), { maxLength: 20 }), fc.nat({ max: 400 }), (sizes, atMost) => {
      const over = rulesOverBudget(
        sizes.map((size) => rule(size)),
        atMost,
      );
      const kept = sizes.filter((_, index) => !over.has(index));
      expect(kept.reduce((total, size) => total + size, 0)).toBeLessThanOrEqual(atMost);
      for (const index of over) expect(sizes[index]).toBeGreaterThanOrEqual(Math.max(0, ...kept));
    }),
  );
});
