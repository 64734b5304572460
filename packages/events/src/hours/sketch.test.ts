import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantile } from '../read/quantile.ts';
import { encodeSums, decodeSums } from './sums-body.ts';
import { ExactSum } from '../read/exact-sum.ts';
import { type Sketch, sketchOf, sketchQuantile } from './sketch.ts';

/** Smaller numbers have too few digits to be within 1 % of anything. */
const SUBNORMAL = 2 ** -1_022;
const NONE = new Float64Array(0);
const number = fc.oneof(
  fc.constantFrom(0, 1, 100, 0.1, 1e12, 5e-324, 1.7e308),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }),
  fc.integer({ min: 0, max: 5_000 }),
);
const values = fc.array(number, { minLength: 1, maxLength: 200 });
const fraction = fc.constantFrom(0, 0.5, 0.9, 0.95, 0.99, 1);

const of = (list: readonly number[]): Sketch => sketchOf([], Float64Array.from(list), list.length);

test('a quantile of values of one sign is within 1 % of the exact one, however they were divided', () => {
  fc.assert(
    fc.property(values, fc.nat({ max: 200 }), fraction, fc.boolean(), (list, cut, share, isNegative) => {
      const signed = isNegative ? list.map((value) => -value) : list;
      const exact = quantile(Float64Array.from(signed), signed.length, share);
      const rest = Float64Array.from(signed.slice(cut));
      const found = sketchQuantile(sketchOf(cut === 0 ? [] : [of(signed.slice(0, cut))], rest, rest.length), share);
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(0.01 * Math.abs(exact) + SUBNORMAL);
    }),
    { numRuns: 2_000 },
  );
});

test('of values of both signs it lies within 1 % of the larger of the two it is between', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 60 }), fraction, (list, share) => {
      const sorted = list.toSorted((a, b) => a - b);
      const rank = share * (list.length - 1);
      const around = Math.max(Math.abs(sorted[Math.floor(rank)]!), Math.abs(sorted[Math.ceil(rank)]!));
      const exact = quantile(Float64Array.from(list), list.length, share);
      expect(Math.abs(sketchQuantile(of(list), share) - exact)).toBeLessThanOrEqual(0.01 * around + 1e-12);
    }),
  );
});

test('what does not vary is told exactly', () => {
  expect(sketchQuantile(of([73.1, 73.1, 73.1]), 0.95)).toBe(73.1);
  expect(sketchQuantile(of([0, 0]), 0.5)).toBe(0);
});

test('a sketch has a bound: where values differ by 16 orders of magnitude the smallest count as nothing, and the large stay right', () => {
  const list = Array.from({ length: 60_000 }, (_, place) => 10 ** (place / 100 - 300));
  const { classes, counts } = of(list);
  expect(classes.length).toBeLessThanOrEqual(4_096);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60_000);
  const exact = quantile(Float64Array.from(list), list.length, 0.99);
  expect(Math.abs(sketchQuantile(of(list), 0.99) - exact)).toBeLessThanOrEqual(0.01 * exact);
});

test('sums come back from their body as they were', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 3 }), values, fc.boolean()), { maxLength: 5 }),
      fc.boolean(),
      (all, hasTooMany) => {
        const series = all.map(([dims, list, isMeasure]) => {
          const sum = new ExactSum();
          sum.add(Float64Array.from(list), 0, list.length);
          return {
            key: JSON.stringify(dims),
            values: dims,
            samples: list.length,
            sum: isMeasure ? sum : null,
            sketch: isMeasure ? of(list) : null,
          };
        });
        const sums = { series, dropped: all.length, hasTooMany };
        expect(decodeSums(encodeSums(sums))).toEqual(sums);
      },
    ),
  );
  expect(sketchOf([], NONE, 0).classes).toHaveLength(0);
});
