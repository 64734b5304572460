import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { past } from '../test/a-past.ts';
import { HOUR } from '../test/a-rule.ts';
import { fitModel } from './fit-model.ts';
import { fitTrend, trendChange, type TrendFit } from './fit-trend.ts';

// A second or two of work each, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const pointsOf = (values: readonly number[]) => values.map((value, hour) => ({ atMs: (hour + 1) * HOUR, value }));

function trendOf(values: readonly number[]): TrendFit {
  const fit = fitTrend(pointsOf(values), values.length * HOUR);
  if (fit.kind !== 'trend') throw new Error(fit.kind);
  return fit;
}

/** Theil–Sen as the textbooks have it: every pair, sorted, the middle one. */
function bruteSlope(values: readonly number[], isPair: (apart: number) => boolean): number {
  const slopes = values.flatMap((later, at) =>
    values.slice(0, at).flatMap((earlier, from) => (isPair(at - from) ? [(later - earlier) / (at - from)] : [])),
  );
  slopes.sort((a, b) => a - b);
  return (slopes[Math.floor((slopes.length - 1) / 2)]! + slopes[Math.ceil((slopes.length - 1) / 2)]!) / 2;
}

const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });

describe('the slope', () => {
  test('is the median of those of all pairs', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 6, maxLength: 60 }), (values) => {
        expect(trendOf(values).slopePerHour).toBeCloseTo(
          bruteSlope(values, () => true),
          8,
        );
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('with three days or more, of pairs of the same hour alone', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 72, maxLength: 120 }), (values) => {
        expect(trendOf(values).slopePerHour).toBeCloseTo(
          bruteSlope(values, (apart) => apart % 24 === 0),
          8,
        );
      }),
      { seed: 2, numRuns: 20 },
    );
  });

  test('is not moved by a quarter of outliers', () => {
    const values = Array.from({ length: 24 }, (_, hour) => (hour % 4 === 1 ? 1e6 * (hour % 8 === 1 ? 1 : -1) : 10 + 3 * hour));
    expect(trendOf(values).slopePerHour).toBeCloseTo(3, 10);
  });

  test('of a season by itself is none, and the season is foretold', () => {
    const wave = (hour: number): number => 50 + 20 * Math.sin((2 * Math.PI * hour) / 24);
    const fit = trendOf(Array.from({ length: 96 }, (_, hour) => wave(hour)));
    expect(fit.slopePerHour).toBeCloseTo(0, 10);
    expect(fit.confidence).toBeCloseTo(1, 6);
    expect(trendChange(fit, 96 * HOUR, 102 * HOUR)).toBeCloseTo(wave(101) - wave(95), 6);
  });
});

test('a line is trusted, noise is not', () => {
  expect(trendOf(Array.from({ length: 24 }, (_, hour) => 5 * hour)).confidence).toBeCloseTo(1, 10);
  const noisy = trendOf(Array.from({ length: 24 }, (_, hour) => (hour * 7_919) % 13));
  expect(noisy.confidence).toBeLessThan(0.3);
});

test.each([
  [6, 'trend'],
  [5, 'not_ready'],
])('of a lookback of %d h it is a %s', (hours, kind) => {
  const history = past(hours, (hour) => 50 + hour);
  expect(fitModel({ kind: 'trend', minSamples: 1, emptyValue: null }, history, 0).kind).toBe(kind);
});
