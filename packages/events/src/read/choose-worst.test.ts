import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseWorst } from './choose-worst.ts';

const choose = (values: number[], choice: Parameters<typeof chooseWorst>[2], atMost: number, samples = values.map(() => 5)): number[] =>
  chooseWorst(Float64Array.from(values), Float64Array.from(samples), choice, atMost, (a, b) => a - b).sort((a, b) => a - b);
const high = { worst: 'high', threshold: 3, minSamples: 1 } as const;

test.each([
  ['high', [1, 2]],
  ['low', [0, 4]],
  ['near', [0, 3]],
  ['far', [2, 4]],
] as const)('by %s', (worst, places) => {
  expect(choose([2, 7, 10, 4, -9], { ...high, worst }, 2)).toEqual(places);
});

test('what has too few samples comes after all that has enough, and no value after all values', () => {
  expect(choose([100, 1, 2, Number.NaN], { ...high, minSamples: 10 }, 2, [9, 10, 11, 50])).toEqual([1, 2]);
  expect(choose([100, 1, 2, Number.NaN], high, 3)).toEqual([0, 1, 2]);
});

test('is the beginning of the list sorted from the worst on, equal ones in their order', () => {
  const numbers = fc.oneof(fc.constantFrom(0, -0, 1, 2, Number.NaN, Infinity), fc.double());
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (values, atMost) => {
      const rank = (place: number): number => (Number.isNaN(values[place]) ? -Infinity : values[place]! + 0);
      const sorted = [...values.keys()].sort((a, b) => (rank(a) === rank(b) ? a - b : rank(b) - rank(a)));
      expect(choose(values, high, atMost)).toEqual(sorted.slice(0, atMost).sort((a, b) => a - b));
    }),
  );
});
