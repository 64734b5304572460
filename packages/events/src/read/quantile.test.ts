import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantile } from './quantile.ts';

test('equals the definition on sorted values, for any order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 300 }),
      fc.constantFrom(0, 0.5, 0.9, 0.95, 0.99, 1),
      (values, fraction) => {
        const sorted = Float64Array.from(values).sort();
        const rank = fraction * (values.length - 1);
        const lower = sorted[Math.floor(rank)]!;
        const expected = lower + (sorted[Math.ceil(rank)]! - lower) * (rank - Math.floor(rank));
        expect(quantile(Float64Array.from(values), values.length, fraction)).toBeCloseTo(expected, 6);
      },
    ),
  );
});

test('the p95 of 1 … 100 is 95.05, as in PostgreSQL', () => {
  expect(
    quantile(
      Float64Array.from({ length: 100 }, (_, i) => 100 - i),
      100,
      0.95,
    ),
  ).toBeCloseTo(95.05, 12);
});

test('a million equal, sorted or organ-pipe values take no longer than a sort', () => {
  const size = 1_000_000;
  for (const at of [() => 7, (i: number) => i, (i: number) => Math.min(i, size - i)]) {
    const values = Float64Array.from({ length: size }, (_, i) => at(i));
    const sorted = values.slice().sort();
    expect(quantile(values, size, 0.5)).toBeCloseTo((sorted[499_999]! + sorted[500_000]!) / 2, 6);
  }
});

test('the largest and the smallest double have a middle', () => {
  expect(quantile(Float64Array.of(Number.MAX_VALUE, -Number.MAX_VALUE), 2, 0.5)).toBe(0);
});
