import { expect, test } from 'vitest';
import { isStorm, mayBeGrouped, placeInGroup } from './hold-back.ts';

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

test('what is urgent, or was asked for, is never held back', () => {
  expect((['test', 'undelivered', 'channel_failing'] as const).some(mayBeGrouped)).toBe(false);
  expect((['fired', 'escalated', 'reminded', 'resolved', 'no_data', 'unsilenced'] as const).every(mayBeGrouped)).toBe(true);
});
