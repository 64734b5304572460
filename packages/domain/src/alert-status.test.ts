import { expect, test } from 'vitest';
import { alertStatusAfter, type AlertMove, type AlertStatus } from './alert-status.ts';

test.each<[AlertStatus, AlertMove, AlertStatus | null]>([
  ['triggered', 'still_open', 'active'],
  ['active', 'still_open', 'active'],
  ['acknowledged', 'still_open', 'acknowledged'],
  ['triggered', 'ended', 'resolved'],
  ['active', 'ended', 'resolved'],
  ['acknowledged', 'ended', 'resolved'],
  ['resolved', 'ended', 'resolved'],
  ['triggered', 'acknowledge', 'acknowledged'],
  ['active', 'acknowledge', 'acknowledged'],
  ['acknowledged', 'acknowledge', 'acknowledged'],
  ['acknowledged', 'unacknowledge', 'active'],
  ['active', 'unacknowledge', null],
  ['triggered', 'unacknowledge', null],
  ['resolved', 'still_open', null],
  ['resolved', 'acknowledge', null],
  ['resolved', 'unacknowledge', null],
])('%s, %s: %s', (status, move, after) => {
  expect(alertStatusAfter(status, move)).toBe(after);
});
