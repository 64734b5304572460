import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mean, median, quantileSorted, robustSpread, wilson95 } from './statistics.ts';

// Newcombe, “Two-sided confidence intervals for the single proportion”, Statistics in Medicine 17, 1998, table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('the interval of %d of %d is from %d to %d, as published', (hits, tries, low, high) => {
  const interval = wilson95(hits, tries);
  expect(interval?.low).toBeCloseTo(low, 4);
  expect(interval?.high).toBeCloseTo(high, 4);
});

test('an interval lies within 0 and 1, around the share, and narrows with more tries; of nothing there is none', () => {
  expect(wilson95(0, 0)).toBeNull();
  expect(wilson95(5, 4)).toEqual(wilson95(4, 4));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (tries, share) => {
      const hits = Math.round(share * tries);
      const { low, high } = wilson95(hits, tries)!;
      const wider = wilson95(hits * 10, tries * 10)!;
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low).toBeLessThanOrEqual(hits / tries + 1e-12);
      expect(high).toBeGreaterThanOrEqual(hits / tries - 1e-12);
      expect(wider.high - wider.low).toBeLessThan(high - low);
    }),
  );
});

// As R’s quantile() of type 7, NumPy’s default and PostgreSQL’s percentile_cont.
test.each<[number[], number, number]>([
  [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.25, 3.25],
  [[1, 2, 3, 4], 0.95, 3.85],
  [[1, 2, 3, 4], 0, 1],
  [[1, 2, 3, 4], 1, 4],
  [[7], 0.5, 7],
  [[1, 3], 0.5, 2],
])('of %j the quantile %d is %d', (sorted, share, expected) => {
  expect(quantileSorted(sorted, share)).toBeCloseTo(expected, 12);
});

test('of nothing there is no quantile, no median and no mean', () => {
  expect([quantileSorted([], 0.5), median([]), mean([])]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});

test('a median does not mind the order, and leaves half on each side', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const middle = median(values);
      expect(median(values.toReversed())).toBe(middle);
      expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2);
      expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2);
    }),
  );
});

test.each<[string, number[], number, number]>([
  ['is that of the median distance', [1, 1, 2, 2, 4, 6, 9], 2, 1.4826],
  ['where most are the same, that of the mean distance', [5, 5, 5, 5, 9], 5, (1.2533 * 4) / 5],
  ['is none where all are the same', [5, 5, 5], 5, 0],
  ['is hardly moved by outliers', [98, 99, 100, 101, 102, 100, 1e9], 100, 1.4826],
])('a spread %s', (_what, values, centre, expected) => {
  expect(robustSpread(values, centre)).toBeCloseTo(expected, 10);
});
