import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExactSum } from './exact-sum.ts';

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }),
  fc.integer().map((cents) => cents / 100),
  fc.constantFrom(1e308, -1e308, 5e-324, 2 ** 27, 2 ** 53, 1e16, 1, -1e16),
);

function sumOf(values: readonly number[], cuts: readonly number[] = []): number {
  const sum = new ExactSum();
  const all = Float64Array.from(values);
  const bounds = [0, ...cuts.map((cut) => cut % (values.length + 1)), values.length].sort((a, b) => a - b);
  for (let i = 1; i < bounds.length; i++) {
    const part = new ExactSum();
    part.add(all, bounds[i - 1]!, bounds[i]!);
    sum.merge(part);
  }
  return sum.value();
}

/** In units of 2^-1074, of which every double is a whole number. */
function inUnits(value: number): bigint {
  let rest = value;
  let exponent = 0;
  for (; !Number.isInteger(rest); exponent++) rest *= 2;
  return BigInt(rest) << BigInt(1074 - exponent);
}

test('no double is nearer to the true sum', () => {
  fc.assert(
    fc.property(fc.array(number, { maxLength: 60 }), (values) => {
      const total = values.reduce((sum, value) => sum + inUnits(value), 0n);
      const answer = sumOf(values);
      const error = abs(inUnits(answer) - total);
      if (Math.abs(answer) === Number.MAX_VALUE) return;
      const step = Math.abs(answer) < 2 ** -1000 ? 5e-324 : Math.abs(answer) * 2 ** -53;
      for (const near of [answer - step, answer + step]) expect(error <= abs(inUnits(near) - total)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('order and portions make no difference in any bit', () => {
  fc.assert(
    fc.property(
      fc
        .array(number, { maxLength: 60 })
        .chain((values) => fc.tuple(fc.constant(values), fc.shuffledSubarray(values, { minLength: values.length }))),
      fc.array(fc.nat(), { maxLength: 5 }),
      ([values, shuffled], cuts) => Object.is(sumOf(values), sumOf(shuffled, cuts)),
    ),
    { numRuns: 2_000 },
  );
});

test('what cancels leaves the small exactly', () => {
  expect(sumOf([1e308, 1e308, 1, -1e308, -1e308, 1e-300])).toBe(1);
  expect(sumOf(Array.from({ length: 10 }, () => 0.1))).toBe(1);
  expect(sumOf([2 ** 53, 1, 1])).toBe(2 ** 53 + 2);
});

test('a million equal numbers are as exact as one', () => {
  expect(sumOf(Array.from({ length: 1_000_000 }, () => 134_217_727.9))).toBe(134_217_727_900_000);
});

test('a sum past the largest double stays there', () => {
  expect(sumOf([Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Number.MAX_VALUE);
});

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
