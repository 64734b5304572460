import { fakeClock } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { openLanes, type Turn } from './lanes.ts';

const leave = (turn: Turn): void => {
  if ('againInMs' in turn) throw new Error('was turned away');
  turn.leave();
};
const waitOf = (turn: Turn): number | null => ('againInMs' in turn ? turn.againInMs : null);

test('a full lane turns away its own and no other', () => {
  const { enter } = openLanes({ total: 10, perChannel: 2 }, () => 0);
  const [first] = [enter('a'), enter('a')];
  expect(waitOf(enter('a'))).toBe(250);
  expect(waitOf(enter('b'))).toBeNull();
  leave(first);
  expect(waitOf(enter('a'))).toBeNull();
});

test('all lanes together hold no more than the total', () => {
  const { enter } = openLanes({ total: 2, perChannel: 2 }, () => 0);
  const first = enter('a');
  enter('b');
  expect(waitOf(enter('c'))).not.toBeNull();
  leave(first);
  expect(waitOf(enter('c'))).toBeNull();
});

test('the slower the sends and the longer the line, the later the turned away come again, within bounds', () => {
  const clock = fakeClock();
  const { enter } = openLanes({ total: 10, perChannel: 2 }, clock.now);
  const slow = enter('a');
  enter('a');
  clock.tick(2_000);
  leave(slow);
  enter('a');
  const waits = Array.from({ length: 60 }, () => waitOf(enter('a')));
  expect(waits.slice(0, 4)).toEqual([2_000, 2_000, 4_000, 4_000]);
  expect(waits.at(-1)).toBe(30_000);
});

test('a lane that emptied forgets how slow it was', () => {
  const clock = fakeClock();
  const { enter } = openLanes({ total: 10, perChannel: 1 }, clock.now);
  const slow = enter('a');
  clock.tick(9_000);
  leave(slow);
  enter('a');
  expect(waitOf(enter('a'))).toBe(250);
});
