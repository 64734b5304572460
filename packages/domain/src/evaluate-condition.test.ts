import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ruleOf, comparison } from '../test/a-rule.ts';
import type { ConditionNode } from './compiled-rule.ts';
import { evaluate, leadIndex } from './evaluate-condition.ts';
import type { Verdict } from './series-state.ts';

const leaf = (index: number): ConditionNode => ({ kind: 'comparison', index });
const tree = fc.letrec<{ node: ConditionNode }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.nat({ max: 4 }).map(leaf),
    fc.record({ kind: fc.constantFrom('all' as const, 'any' as const), children: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not' as const), child: tie('node') }),
  ),
})).node;
const verdict = fc.constantFrom<Verdict>('breach', 'clear', 'unknown', 'failed');
const verdicts = fc.array(verdict, { minLength: 5, maxLength: 5 });

describe('trees', () => {
  const pair = (kind: 'all' | 'any'): ConditionNode => ({ kind, children: [leaf(0), leaf(1)] });
  test.each<[Verdict, Verdict, Verdict, Verdict]>([
    // first, second, all, any
    ['breach', 'breach', 'breach', 'breach'],
    ['breach', 'clear', 'clear', 'breach'],
    ['clear', 'clear', 'clear', 'clear'],
    ['breach', 'unknown', 'unknown', 'breach'],
    ['clear', 'unknown', 'clear', 'unknown'],
    ['unknown', 'unknown', 'unknown', 'unknown'],
    ['breach', 'failed', 'failed', 'breach'],
    ['clear', 'failed', 'clear', 'failed'],
    ['unknown', 'failed', 'failed', 'failed'],
    ['failed', 'failed', 'failed', 'failed'],
  ])('%s with %s: all is %s, any is %s', (first, second, all, any) => {
    expect(evaluate(pair('all'), [first, second])).toBe(all);
    expect(evaluate(pair('all'), [second, first])).toBe(all);
    expect(evaluate(pair('any'), [first, second])).toBe(any);
    expect(evaluate(pair('any'), [second, first])).toBe(any);
  });

  test.each<[Verdict, Verdict]>([
    ['breach', 'clear'],
    ['clear', 'breach'],
    ['unknown', 'unknown'],
    ['failed', 'failed'],
  ])('not %s is %s', (inside, outside) => {
    expect(evaluate({ kind: 'not', child: leaf(0) }, [inside])).toBe(outside);
  });

  test('are decided only where every possible answer of what is open would decide the same', () => {
    fc.assert(
      fc.property(tree, verdicts, (node, given) => {
        const outcome = evaluate(node, given);
        if (outcome !== 'breach' && outcome !== 'clear') return;
        for (let bits = 0; bits < 32; bits++) {
          const filled = given.map((one, index): Verdict =>
            one === 'unknown' || one === 'failed' ? ((bits >> index) & 1 ? 'breach' : 'clear') : one,
          );
          expect(evaluate(node, filled)).toBe(outcome);
        }
      }),
    );
  });

  test('with every answer in are decided', () => {
    fc.assert(
      fc.property(tree, fc.array(fc.constantFrom<Verdict>('breach', 'clear'), { minLength: 5, maxLength: 5 }), (node, given) => {
        expect(['breach', 'clear']).toContain(evaluate(node, given));
      }),
    );
  });

  test('obey De Morgan', () => {
    const not = (child: ConditionNode): ConditionNode => ({ kind: 'not', child });
    fc.assert(
      fc.property(tree, tree, verdicts, (a, b, given) => {
        const left = evaluate(not({ kind: 'all', children: [a, b] }), given);
        expect(left).toBe(evaluate({ kind: 'any', children: [not(a), not(b)] }, given));
      }),
    );
  });

  test('are failed only where a query failed', () => {
    fc.assert(
      fc.property(tree, fc.array(fc.constantFrom<Verdict>('breach', 'clear', 'unknown'), { minLength: 5, maxLength: 5 }), (node, given) => {
        expect(evaluate(node, given)).not.toBe('failed');
      }),
    );
  });
});

describe('the comparison that speaks', () => {
  const { condition } = ruleOf({
    condition: { any: [{ all: [comparison(), comparison({ threshold: 5 })] }, { not: comparison({ operator: '<' }) }] },
  });

  test.each<[Verdict[], Verdict, number]>([
    [['clear', 'breach', 'clear'], 'breach', 1],
    [['breach', 'breach', 'breach'], 'breach', 0],
    [['clear', 'clear', 'clear'], 'breach', 2],
    [['clear', 'clear', 'breach'], 'clear', 0],
    [['clear', 'unknown', 'failed'], 'failed', 2],
    [['clear', 'unknown', 'unknown'], 'unknown', 1],
  ])('%j, together %s: number %d', (given, outcome, index) => {
    expect(leadIndex(condition, given, () => true, outcome)).toBe(index);
  });

  test('of a clear condition is the first with a value', () => {
    expect(leadIndex(condition, ['unknown', 'clear', 'breach'], (place) => place === 2, 'clear')).toBe(2);
  });
});
