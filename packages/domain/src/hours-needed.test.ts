import { expect, test } from 'vitest';
import { compileRule } from './compile-rule.ts';
import { hoursNeededBy } from './hours-needed.ts';
import { parseRule } from './parse-rule.ts';

function neededBy(...comparisons: object[]) {
  const parsed = parseRule({ name: 'R', condition: { all: comparisons }, evaluationDelay: '1m' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return hoursNeededBy(compileRule(parsed.spec)).map(({ kind, query, lookbackMs }) => ({ kind, window: query.windowMs, lookbackMs }));
}

const comparison = (window: string) => ({ metric: 'cost', window, operator: '>', threshold: 1 });
const HOUR = 3_600_000;

test('windows up to 6 h need nothing of closed hours; longer ones need sums as far back as a late slot of theirs reaches', () => {
  expect(neededBy(comparison('5m'), comparison('6h'))).toEqual([]);
  expect(neededBy(comparison('5m'), comparison('7h'), comparison('30d'))).toEqual([
    { kind: 'partial', window: 7 * HOUR, lookbackMs: 8 * HOUR + 60_000 },
    { kind: 'partial', window: 720 * HOUR, lookbackMs: 721 * HOUR + 60_000 },
  ]);
});
