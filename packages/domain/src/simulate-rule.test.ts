import { expect, test } from 'vitest';
import { comparison, MINUTE, only, ruleOf } from '../test/a-rule.ts';
import type { QueryResult } from './reading.ts';
import { simulateRule, type Made, type Simulation } from './simulate-rule.ts';

const START = Date.UTC(2026, 2, 4, 12);

const simulated = (over: object, made: Partial<Made>, results: QueryResult[] = []): Simulation => {
  const rule = ruleOf(over);
  const read = {
    results: rule.windows.map((_, index) => results[index] ?? only(1)),
    circumstances: { endMs: START },
    startMs: START,
    everyMs: MINUTE,
  };
  return simulateRule(rule, { comparison: 0, value: 0, labels: {}, ...made }, read);
};
const walked = ({ steps }: Simulation): string[] =>
  steps.map(
    ({ slotMs, phase, reason, change }) => `${(slotMs - START) / MINUTE} ${phase} ${reason}${change === null ? '' : ` ${change.kind}`}`,
  );

test('a value that breaches fires at once without `for`, and resolves when it is clear again', () => {
  expect(walked(simulated({}, { value: 5_000 }))).toEqual(['0 firing fired fired', '1 ok resolved resolved']);
});

test('with `for` it is pending first, and it recovers for `keepFiringFor`', () => {
  expect(walked(simulated({ for: '3m', keepFiringFor: '2m' }, { value: 5_000 }))).toEqual([
    '0 pending breach',
    '1 pending holding',
    '3 firing fired fired',
    '4 recovering recovering',
    '6 ok resolved resolved',
  ]);
});

test('a value that does not breach does nothing', () => {
  expect(simulated({}, { value: 10 })).toMatchObject({ steps: [{ phase: 'ok', reason: 'clear', value: 10 }], changes: [] });
});

test('a `for` of days is walked in steps that lie further apart', () => {
  const { steps, changes } = simulated({ for: '10d' }, { value: 5_000 });
  expect(changes.map(({ change }) => change.kind)).toEqual(['fired', 'resolved']);
  expect(steps.at(0)?.phase).toBe('pending');
});

test.each([
  { what: 'all', condition: { all: [comparison(), comparison({ metric: 'throughput', threshold: 100 })] }, value: 500, fires: true },
  { what: 'any', condition: { any: [comparison(), comparison({ metric: 'throughput', threshold: 100 })] }, value: 50, fires: false },
  {
    what: 'not',
    condition: { not: { any: [comparison(), comparison({ metric: 'throughput', threshold: 100 })] } },
    value: 50,
    fires: true,
  },
  {
    what: 'not',
    condition: { not: { any: [comparison(), comparison({ metric: 'throughput', threshold: 100 })] } },
    value: 500,
    fires: false,
  },
])('under `$what` everything hangs on the comparison that is named', ({ condition, value, fires }) => {
  const { rule, changes } = simulated({ condition }, { comparison: 1, value });
  expect(changes.map(({ change }) => change.kind)).toEqual(fires ? ['fired', 'resolved'] : []);
  expect(rule.comparisons.map(({ metric }) => metric)).toEqual(['throughput']);
});

test('it has as many samples as it needs, and the level it reaches', () => {
  const over = { condition: comparison({ minSamples: 30, threshold: { warning: 1_000, critical: 4_000 } }) };
  const [fired] = simulated(over, { value: 5_000 }).changes;
  expect(fired?.change).toMatchObject({ kind: 'fired', severity: 'critical' });
  expect(fired?.stepped.judgement.lead).toMatchObject({ value: 5_000, samples: 30, threshold: 4_000 });
});

test('what its threshold is made of is what was read', () => {
  const over = { condition: comparison({ threshold: { change: { percent: 50, versus: 'previous' } } }) };
  const [now, before] = [only(1), only(1_000)];
  expect(simulated(over, { value: 1_400 }, [now, before]).changes).toEqual([]);
  const [fired] = simulated(over, { value: 1_600 }, [now, before]).changes;
  expect(fired?.stepped.judgement.lead).toMatchObject({ threshold: 1_500, origin: { kind: 'change', base: 1_000 } });
});

test('of a grouped rule it is one series, whatever the others are', () => {
  const results: QueryResult[] = [{ kind: 'series', series: [{ labels: { model: 'b' }, value: 9_000, samples: 5 }], dropped: 0 }];
  const { changes } = simulated({ groupBy: ['model'] }, { value: 5_000, labels: { model: 'a' } }, results);
  expect(changes.map(({ stepped }) => stepped.judgement.labels)).toEqual([{ model: 'a' }, { model: 'a' }]);
});
