import { expect, test } from 'vitest';
import { comparison, draft, ruleOf, specOf } from '../test/a-rule.ts';
import { compileRule } from './compile-rule.ts';

test('numbers the comparisons in the order written and keeps the tree', () => {
  const rule = ruleOf({
    condition: { any: [comparison(), { all: [{ not: comparison({ metric: 'cost' }) }, comparison({ metric: 'ttft' })] }] },
  });
  expect(rule.comparisons.map(({ metric }) => metric)).toEqual(['latency', 'cost', 'ttft']);
  expect(rule.condition).toEqual({
    kind: 'any',
    children: [
      { kind: 'comparison', index: 0 },
      {
        kind: 'all',
        children: [
          { kind: 'not', child: { kind: 'comparison', index: 1 } },
          { kind: 'comparison', index: 2 },
        ],
      },
    ],
  });
});

test('has durations in milliseconds and what is not said as null', () => {
  expect(ruleOf()).toMatchObject({ everyMs: null, forMs: 0, cooldownMs: 3_600_000, evaluationDelayMs: 10_000, remindEveryMs: null });
  expect(ruleOf({ every: '30s', for: '1h30m', remindEvery: '4h' })).toMatchObject({
    everyMs: 30_000,
    forMs: 5_400_000,
    remindEveryMs: 14_400_000,
  });
});

test('a delay that is `auto` follows the names its comparisons look at, each once, and starts at ten seconds', () => {
  const named = (name?: string) => comparison(name === undefined ? {} : { name });
  const rule = ruleOf({ evaluationDelay: 'auto', condition: { any: [named('call'), { not: named() }, named('call')] } });
  expect(rule).toMatchObject({ evaluationDelayMs: 10_000, delayFollows: ['call', null] });
  expect(ruleOf({ evaluationDelay: '20s' })).toMatchObject({ evaluationDelayMs: 20_000, delayFollows: null });
});

test('groups every query but the one that joins', () => {
  const rule = ruleOf({ groupBy: ['route', 'env'], condition: { all: [comparison(), comparison({ groupBy: [] })] } });
  expect(rule.windows.map(({ query, joinsEverySeries }) => [query.groupBy, joinsEverySeries])).toEqual([
    [['env', 'route'], false],
    [[], true],
  ]);
});

test('a query that joins an ungrouped rule is like any other', () => {
  expect(ruleOf({ condition: comparison({ groupBy: [] }) }).windows[0]?.joinsEverySeries).toBe(false);
});

test('survives as JSON and comes out the same each time', () => {
  const spec = specOf(draft({ groupBy: ['env'], condition: comparison({ where: { b: ['2', '1'], a: { exists: true } } }) }));
  const rule = compileRule(spec);
  expect(JSON.parse(JSON.stringify(rule))).toEqual(rule);
  expect(compileRule(JSON.parse(JSON.stringify(spec)) as typeof spec)).toEqual(rule);
});

test('refuses a spec that nobody checked', () => {
  expect(() => compileRule({ ...specOf(draft()), for: 'soon' })).toThrow('not a duration: soon');
});
