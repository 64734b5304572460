import { fakeClock } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { openLanes, type Place } from './lanes.ts';

const leave = (place: Place | null): void => {
  if (place === null) throw new Error('was turned away');
  place.leave();
};
/** Lets those whose turn has come know. */
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a full lane turns away its own and no other', () => {
  const { enter } = openLanes({ total: 100, perTenant: 10, perChannel: 2, inLine: 0 }, () => 0);
  const [first] = [enter('t', 'a'), enter('t', 'a')];
  expect(enter('t', 'a')).toBeNull();
  expect(enter('t', 'b')).not.toBeNull();
  leave(first);
  expect(enter('t', 'a')).not.toBeNull();
});

test('a tenant whose channels all hang turns away its own and no other', () => {
  const { enter } = openLanes({ total: 100, perTenant: 3, perChannel: 2, inLine: 0 }, () => 0);
  const [first] = [enter('t', 'a'), enter('t', 'a'), enter('t', 'b')];
  expect(enter('t', 'c')).toBeNull();
  expect(enter('u', 'd')).not.toBeNull();
  leave(first);
  expect(enter('t', 'c')).not.toBeNull();
});

test('all lanes together hold no more than the total', () => {
  const { enter } = openLanes({ total: 2, perTenant: 2, perChannel: 2, inLine: 0 }, () => 0);
  const first = enter('t', 'a');
  expect(enter('u', 'b')).not.toBeNull();
  expect(enter('v', 'c')).toBeNull();
  leave(first);
  expect(enter('v', 'c')).not.toBeNull();
});

test('tenants that take all they can get leave a place for who has none', () => {
  const { enter } = openLanes({ total: 512, perTenant: 128, perChannel: 128, inLine: 0 }, () => 0);
  const taken = ['a', 'b', 'c', 'd', 'e', 'f'].map((greedy) => {
    let places = 0;
    while (enter(greedy, `${greedy}-hook`) !== null) places += 1;
    return places;
  });
  expect(taken).toEqual([128, 128, 86, 57, 38, 25]);
  expect(enter('modest', 'm')).not.toBeNull();
});

test('who waits in line is called in order, one for each place that is left', async () => {
  const { enter, wait } = openLanes({ total: 10, perTenant: 10, perChannel: 1, inLine: 9 }, () => 0);
  const called: string[] = [];
  const stand = (name: string): void => {
    const turn = wait('t', 'a');
    if ('againInMs' in turn) throw new Error('was turned away');
    void turn.then((place) => {
      called.push(name);
      places.push(place);
    });
  };
  const places: Place[] = [];
  const first = enter('t', 'a');
  stand('one');
  stand('two');
  await turns();
  expect(called).toEqual([]);
  leave(first);
  await turns();
  expect(called).toEqual(['one']);
  leave(places[0] ?? null);
  await turns();
  expect(called).toEqual(['one', 'two']);
});

test('a place that a tenant leaves goes to another channel of that tenant, and one of the last goes to any', async () => {
  const { enter, wait } = openLanes({ total: 4, perTenant: 2, perChannel: 2, inLine: 9 }, () => 0);
  const held = [enter('t', 'a'), enter('t', 'b')];
  const [ofTenant, ofAll] = [wait('t', 'c'), wait('u', 'd')];
  if ('againInMs' in ofTenant || 'againInMs' in ofAll) throw new Error('was turned away');
  leave(held[0] ?? null);
  await Promise.all([ofTenant, ofAll]);
});

test('a line that is too long says when to come back: the slower the sends and the longer the line, the later, within bounds', async () => {
  const clock = fakeClock();
  const { enter, wait } = openLanes({ total: 10, perTenant: 10, perChannel: 2, inLine: 2 }, clock.now);
  const slow = enter('t', 'a');
  enter('t', 'a');
  clock.tick(2_000);
  leave(slow);
  enter('t', 'a');
  expect([wait('t', 'a'), wait('t', 'a')].every((turn) => turn instanceof Promise)).toBe(true);
  expect(wait('t', 'a')).toEqual({ againInMs: 4_000 });
  expect(wait('t', 'b')).toEqual({ againInMs: 2_000 });
});

test('once closed it calls nobody', async () => {
  const { enter, wait, close } = openLanes({ total: 1, perTenant: 1, perChannel: 1, inLine: 9 }, () => 0);
  const held = enter('t', 'a');
  let called = 0;
  const turn = wait('t', 'a');
  if ('againInMs' in turn) throw new Error('was turned away');
  void turn.then(() => (called += 1));
  close();
  leave(held);
  await turns();
  expect(called).toBe(0);
});
