import { expect, test } from 'vitest';
import { fakeClock } from './fake-clock.ts';

const never = new AbortController().signal;

test('time stands still until it is moved, and sleepers wake in the order they fall due', async () => {
  const clock = fakeClock('2026-01-05T12:00:00Z');
  const woken: string[] = [];
  const sleepers = [
    clock.sleep(200, never).then(() => woken.push('second')),
    clock.sleep(100, never).then(() => woken.push('first')),
    clock.sleep(500, never),
  ];
  clock.tick(99);
  await Promise.resolve();
  expect([woken, clock.sleepers(), clock.now()]).toEqual([[], 3, Date.parse('2026-01-05T12:00:00.099Z')]);
  clock.tick(200);
  await Promise.all(sleepers.slice(0, 2));
  expect([woken, clock.sleepers()]).toEqual([['first', 'second'], 1]);
});

test('a sleeper that is aborted wakes at once', async () => {
  const clock = fakeClock();
  const caller = new AbortController();
  const sleeping = clock.sleep(1_000, caller.signal);
  caller.abort();
  await sleeping;
  await clock.sleep(1_000, caller.signal);
  expect(clock.sleepers()).toBe(0);
});
