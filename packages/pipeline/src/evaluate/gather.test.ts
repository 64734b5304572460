import { fakeClock } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { gather } from './gather.ts';

/** A gatherer whose batches end when the test says. */
function play({ atMost = 3, batches = 1 } = {}) {
  const clock = fakeClock();
  const started: string[][] = [];
  const ends: ((result: Map<string, string>) => void)[] = [];
  const add = gather<string>({
    clock,
    atMost,
    batches,
    lingerMs: 5,
    work: (items) => {
      started.push([...items]);
      return new Promise((resolve) => ends.push(resolve));
    },
  });
  /** Lets promises settle. */
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    add,
    started,
    settle,
    linger: async () => {
      clock.tick(5);
      await settle();
    },
    end: async (results: Record<string, string> = {}) => {
      ends.shift()?.(new Map(Object.entries(results)));
      await settle();
    },
  };
}

test('what arrives together is one batch, and each item gets its own answer', async () => {
  const { add, started, linger, end } = play();
  const [a, b] = [add('a'), add('b')];
  expect(started).toEqual([]);
  await linger();
  expect(started).toEqual([['a', 'b']]);
  await end({ b: 'B' });
  expect(await a).toBeUndefined();
  expect(await b).toBe('B');
});

test('a full batch does not wait', () => {
  const { add, started } = play();
  for (const item of ['a', 'b', 'c']) void add(item);
  expect(started).toEqual([['a', 'b', 'c']]);
});

test('what arrives while a batch is under way makes the next, at most so many at a time', async () => {
  const { add, started, linger, end } = play();
  for (const item of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) void add(item);
  await linger();
  expect(started).toEqual([['a', 'b', 'c']]);
  await end();
  expect(started).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
  ]);
  await end();
  await linger();
  expect(started.at(-1)).toEqual(['g']);
});

test('an item that waits already is worked on once, and both askers hear', async () => {
  const { add, started, linger, end } = play();
  const both = Promise.all([add('a'), add('a')]);
  await linger();
  await end({ a: 'A' });
  expect(started).toEqual([['a']]);
  expect(await both).toEqual(['A', 'A']);
});

test('a batch that fails fails for its own items alone', async () => {
  const clock = fakeClock();
  const add = gather<string>({
    clock,
    atMost: 1,
    batches: 1,
    lingerMs: 5,
    work: (items) => (items[0] === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve(new Map([[items[0] ?? '', 'ok']]))),
  });
  const results = await Promise.allSettled([add('bad'), add('good')]);
  expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled']);
});
