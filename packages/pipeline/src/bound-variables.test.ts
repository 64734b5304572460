import { expect, test } from 'vitest';
import { durationVariable, evaluationVariables, numberVariable, readingVariables, retention } from './bound-variables.ts';

test.each([
  [numberVariable(10, 20, 15), ['10', '20'], ['9', '21', '', ' 10', '1e1', '-10', '0x10', '15.5', '9999999999999999999']],
  [durationVariable('10s', '1h', 60_000), ['10s', '60m', '1h'], ['9s', '61m', '', '10', '1e3s', '-1m', 'soon']],
  [retention, ['1d', '400d'], ['23h', '401d']],
  [readingVariables.seriesPerRead, ['1000', '10000000'], ['999', '10000001']],
  [evaluationVariables.ruleTime, ['1s', '10m'], ['0s', '601s']],
  [evaluationVariables.queryTime, ['1s', '10m'], ['0s', '601s']],
])('takes what lies at its ends and nothing beyond', (variable, good, bad) => {
  for (const text of good) expect(variable.safeParse(text).success, text).toBe(true);
  for (const text of bad) expect(variable.safeParse(text).success, text).toBe(false);
});

test('says what would be right, and has a default', () => {
  expect(numberVariable(10, 20, 15).safeParse('21').error?.issues[0]?.message).toBe('a number from 10 to 20');
  expect(durationVariable('10s', '1h', 60_000).safeParse('2h').error?.issues[0]?.message).toBe('a duration from 10s to 1h');
  expect(numberVariable(10, 20, 15).parse(undefined)).toBe(15);
  expect(retention.parse(undefined)).toBe(30 * 86_400_000);
});
