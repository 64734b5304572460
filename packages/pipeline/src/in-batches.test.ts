import { expect, test } from 'vitest';
import { inBatches } from './in-batches.ts';

/** Work that ends when it is told to. */
function slowWork() {
  const batches: number[][] = [];
  const ends: ((failure?: Error) => void)[] = [];
  const work = (items: readonly number[]): Promise<number[]> => {
    batches.push([...items]);
    return new Promise((resolve, reject) =>
      ends.push((failure) => (failure === undefined ? resolve(items.map((item) => item * 10)) : reject(failure))),
    );
  };
  return { batches, ends, work };
}
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('the first goes at once, what arrives meanwhile goes together', async () => {
  const { batches, ends, work } = slowWork();
  const add = inBatches({ atMost: 3, batches: 1, work });
  const first = add(1);
  await turns();
  const others = [2, 3, 4, 5].map(add);
  await turns();
  expect(batches).toEqual([[1]]);
  ends[0]?.();
  await turns();
  expect(batches).toEqual([[1], [2, 3, 4]]);
  ends[1]?.();
  await turns();
  ends[2]?.();
  expect(await Promise.all([first, ...others])).toEqual([10, 20, 30, 40, 50]);
  expect(batches.at(-1)).toEqual([5]);
});

test('what arrives in the same breath goes together', async () => {
  const { batches, work } = slowWork();
  const add = inBatches({ atMost: 9, batches: 2, work });
  void add(1);
  void add(2);
  await turns();
  expect(batches).toEqual([[1, 2]]);
});

test('of a batch that fails only the one to blame fails', async () => {
  const asked: number[][] = [];
  const add = inBatches({
    atMost: 9,
    batches: 1,
    work: async (items: readonly number[]) => {
      asked.push([...items]);
      if (items.includes(2)) throw new Error('poison');
      return items;
    },
  });
  const results = await Promise.allSettled([1, 2, 3].map(add));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(asked).toEqual([[1, 2, 3], [1], [2], [3]]);
});

test('a server that is away is nobody’s fault: all fail, none is tried alone', async () => {
  let asked = 0;
  const add = inBatches({
    atMost: 9,
    batches: 1,
    work: async () => {
      asked += 1;
      throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
    },
  });
  const results = await Promise.allSettled([1, 2, 3].map(add));
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  expect(asked).toBe(1);
});
