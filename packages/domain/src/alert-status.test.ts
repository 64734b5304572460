import { expect, test } from 'vitest';
import {
  ALERT_ACTORS,
  ALERT_MOVES,
  ALERT_STATUSES,
  alertStatusAfter,
  type AlertActor,
  type AlertMove,
  type AlertStatus,
} from './alert-status.ts';

/** Every move that makes sense. */
const TABLE: readonly [AlertStatus, AlertMove, readonly AlertActor[], AlertStatus][] = [
  ['triggered', 'still_open', ['evaluator'], 'active'],
  ['active', 'still_open', ['evaluator'], 'active'],
  ['acknowledged', 'still_open', ['evaluator'], 'acknowledged'],
  ['triggered', 'ended', ['evaluator', 'person', 'system'], 'resolved'],
  ['active', 'ended', ['evaluator', 'person', 'system'], 'resolved'],
  ['acknowledged', 'ended', ['evaluator', 'person', 'system'], 'resolved'],
  ['resolved', 'ended', ['evaluator', 'person', 'system'], 'resolved'],
  ['triggered', 'acknowledge', ['person'], 'acknowledged'],
  ['active', 'acknowledge', ['person'], 'acknowledged'],
  ['acknowledged', 'acknowledge', ['person'], 'acknowledged'],
  ['triggered', 'unacknowledge', ['person'], 'triggered'],
  ['active', 'unacknowledge', ['person'], 'active'],
  ['acknowledged', 'unacknowledge', ['person'], 'active'],
];

const all = ALERT_STATUSES.flatMap((status) => ALERT_MOVES.flatMap((move) => ALERT_ACTORS.map((actor) => [status, move, actor] as const)));

test.each(all)('%s, %s by the %s', (status, move, actor) => {
  const row = TABLE.find(([from, by, actors]) => from === status && by === move && actors.includes(actor));
  expect(alertStatusAfter(status, move, actor)).toBe(row?.[3] ?? null);
});

test('nothing leaves the end, and nothing but a person acknowledges', () => {
  const after = all.map(([status, move, actor]) => ({ status, actor, to: alertStatusAfter(status, move, actor) }));
  expect(after.filter(({ status, to }) => status === 'resolved' && to !== null && to !== 'resolved')).toEqual([]);
  expect(after.filter(({ status, actor, to }) => to === 'acknowledged' && status !== 'acknowledged' && actor !== 'person')).toEqual([]);
});
