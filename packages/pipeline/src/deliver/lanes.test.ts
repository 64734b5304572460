import { fakeClock } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { openLanes, type Turn } from './lanes.ts';

const leave = (turn: Turn): void => {
  if ('againInMs' in turn) throw new Error('was turned away');
  turn.leave();
};
const waitOf = (turn: Turn): number | null => ('againInMs' in turn ? turn.againInMs : null);

test('a full lane turns away its own and no other', () => {
  const { enter } = openLanes({ total: 10, perTenant: 10, perChannel: 2 }, () => 0);
  const [first] = [enter('t', 'a'), enter('t', 'a')];
  expect(waitOf(enter('t', 'a'))).toBe(250);
  expect(waitOf(enter('t', 'b'))).toBeNull();
  leave(first);
  expect(waitOf(enter('t', 'a'))).toBeNull();
});

test('a tenant whose channels all hang turns away its own and no other', () => {
  const { enter } = openLanes({ total: 10, perTenant: 3, perChannel: 2 }, () => 0);
  const [first] = [enter('t', 'a'), enter('t', 'a'), enter('t', 'b')];
  expect(waitOf(enter('t', 'c'))).toBe(250);
  expect(waitOf(enter('u', 'd'))).toBeNull();
  leave(first);
  expect(waitOf(enter('t', 'c'))).toBeNull();
});

test('all lanes together hold no more than the total', () => {
  const { enter } = openLanes({ total: 2, perTenant: 2, perChannel: 2 }, () => 0);
  const first = enter('t', 'a');
  enter('t', 'b');
  expect(waitOf(enter('t', 'c'))).not.toBeNull();
  leave(first);
  expect(waitOf(enter('t', 'c'))).toBeNull();
});

test('the slower the sends and the longer the line, the later the turned away come again, within bounds', () => {
  const clock = fakeClock();
  const { enter } = openLanes({ total: 10, perTenant: 10, perChannel: 2 }, clock.now);
  const slow = enter('t', 'a');
  enter('t', 'a');
  clock.tick(2_000);
  leave(slow);
  enter('t', 'a');
  const waits = Array.from({ length: 60 }, () => waitOf(enter('t', 'a')));
  expect(waits.slice(0, 4)).toEqual([2_000, 2_000, 4_000, 4_000]);
  expect(waits.at(-1)).toBe(30_000);
});

test('a lane that emptied forgets how slow it was', () => {
  const clock = fakeClock();
  const { enter } = openLanes({ total: 10, perTenant: 10, perChannel: 1 }, clock.now);
  const slow = enter('t', 'a');
  clock.tick(9_000);
  leave(slow);
  enter('t', 'a');
  expect(waitOf(enter('t', 'a'))).toBe(250);
});
