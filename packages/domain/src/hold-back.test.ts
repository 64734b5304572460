import { expect, test } from 'vitest';
import { groupScope, isStorm, placeInGroup } from './hold-back.ts';

test('the first goes at once, the second tells of what follows', () => {
  expect([0, 1, 2, 1_000].map(placeInGroup)).toEqual(['first', 'follow_up', 'rest', 'rest']);
});

test.each([
  [9, 'warning', 10, false],
  [10, 'warning', 10, true],
  [19, 'critical', 10, false],
  [20, 'critical', 10, true],
  [1_000_000, 'info', null, false],
] as const)('after %i messages in a minute, one more (%s) of at most %s is a storm: %s', (before, severity, most, expected) => {
  expect(isStorm(before, severity, most)).toBe(expected);
});

test.each([
  ['fired', 'warning', 'rule:r'],
  ['no_data', 'error', 'rule:r'],
  ['escalated', 'critical', 'rule:r:critical'],
  ['fired', 'critical', 'rule:r:critical'],
  ['resolved', 'critical', 'rule:r:end'],
  ['test', 'critical', null],
  ['undelivered', 'critical', null],
  ['channel_failing', 'info', null],
] as const)('%s of severity %s is told with %s', (kind, severity, expected) => {
  expect(groupScope(kind, severity, 'r')).toBe(expected);
});
