import { describe, expect, test } from 'vitest';
import { noise } from '../test/a-past.ts';
import { HOUR } from '../test/a-rule.ts';
import { fitSeasonal, seasonalAt, type SeasonalFit } from './fit-seasonal.ts';
import { median } from './statistics.ts';

function fitOf(values: readonly number[]): SeasonalFit {
  const fit = fitSeasonal(
    values.map((value, hour) => ({ atMs: (hour + 1) * HOUR, value })),
    values.length * HOUR,
  );
  if (fit.kind !== 'seasonal') throw new Error(fit.kind);
  return fit;
}

const week = (valueAt: (hour: number) => number): number[] => Array.from({ length: 168 }, (_, hour) => valueAt(hour));
const average = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / values.length;

/**
 * The same model in its other form, which corrects by the error of one step ahead, written down separately (Hyndman and others, “Forecasting with Exponential
 * Smoothing”, 2008, the damped additive case).
 */
function byErrors(values: readonly number[], [alpha, beta, gamma]: readonly [number, number, number]) {
  const damping = 0.9;
  const days = Math.floor(values.length / 24);
  const dayMeans = Array.from({ length: days }, (_, day) => average(values.slice(24 * day, 24 * day + 24)));
  const steps = dayMeans.slice(1).map((dayMean, day) => (dayMean - dayMeans[day]!) / 24);
  let slope = median(steps);
  const season = Array.from({ length: 24 }, (_, hour) =>
    average(dayMeans.map((dayMean, day) => values[24 * day + hour]! - (dayMean + slope * (hour - 11.5)))),
  );
  let level = dayMeans[0]! - 12.5 * slope;
  for (const [hour, value] of values.entries()) {
    const error = value - (level + damping * slope + season[hour % 24]!);
    level += damping * slope + alpha * error;
    slope = damping * slope + alpha * beta * error;
    season[hour % 24]! += gamma * (value - level - season[hour % 24]!);
  }
  const ahead = (steps: number): number => {
    let total = level + season[(values.length + steps - 1) % 24]!;
    for (let step = 1; step <= steps; step++) total += slope * damping ** step;
    return total;
  };
  return { level, slope, season, ahead };
}

const GRID = [0.05, 0.2, 0.5].flatMap((alpha) =>
  [0, 0.02, 0.1].flatMap((beta) => [0.05, 0.2, 0.5].map((gamma): [number, number, number] => [alpha, beta, gamma])),
);

describe.each([
  ['noise', week((hour) => 100 + 10 * noise(hour))],
  ['a day', week((hour) => 100 + 40 * Math.sin((2 * Math.PI * hour) / 24) + 5 * noise(hour))],
  ['growth', week((hour) => 50 + 0.7 * hour + 15 * Math.cos((2 * Math.PI * hour) / 24) + 3 * noise(hour))],
])('of %s', (_what, values) => {
  test('the model is that of an independent one with the best weights for the day held back', () => {
    const offOf = (weights: [number, number, number]): number => {
      const tried = byErrors(values.slice(0, 144), weights);
      return average(values.slice(144).map((value, index) => Math.abs(value - tried.ahead(index + 1))));
    };
    const offs = GRID.map(offOf);
    const best = offs.indexOf(Math.min(...offs));
    const whole = byErrors(values, GRID[best]!);
    const fit = fitOf(values);
    expect(fit.testedError).toBeCloseTo(offs[best]!, 8);
    expect(fit.level).toBeCloseTo(whole.level, 8);
    expect(fit.slopePerHour).toBeCloseTo(whole.slope, 8);
    for (const hours of [1, 7, 24, 30]) expect(seasonalAt(fit, (168 + hours) * HOUR).centre).toBeCloseTo(whole.ahead(hours), 8);
  });
});

test('what never changes is foretold as it is, without any spread', () => {
  const fit = fitOf(week(() => 7));
  expect(fit).toMatchObject({ level: 7, slopePerHour: 0, spread: 0, testedError: 0 });
  expect(seasonalAt(fit, 400 * HOUR).centre).toBe(7);
});

test('what repeats to the last bit is never far from what is foretold, whatever floating point leaves behind', () => {
  for (const base of [0.1, 7, 1e6 / 3]) {
    for (const swing of [0, 0.3]) {
      const valueAt = (hour: number): number => base * (1 + swing * Math.sin((2 * Math.PI * (hour % 24)) / 24));
      const fit = fitOf(week(valueAt));
      for (let hour = 168; hour < 192; hour++) {
        const { centre, spread } = seasonalAt(fit, (hour + 1) * HOUR);
        expect(Math.abs(valueAt(hour) - centre)).toBeLessThanOrEqual(spread);
      }
    }
  }
});

test('a day that repeats is foretold hour by hour', () => {
  const hourly = (hour: number): number => [3, 50, 20, 8][Math.floor((hour % 24) / 6)]!;
  const fit = fitOf(week(hourly));
  for (let hour = 168; hour < 200; hour++) expect(seasonalAt(fit, (hour + 1) * HOUR).centre).toBeCloseTo(hourly(hour), 8);
  expect(fit.testedError).toBeCloseTo(0, 8);
});

test('a slope fades, so that nothing runs away', () => {
  const fit = fitOf(week((hour) => 10 * hour + 100 * Math.sin((2 * Math.PI * hour) / 24)));
  const [soon, late] = [seasonalAt(fit, 169 * HOUR).centre, seasonalAt(fit, 10_008 * HOUR).centre];
  expect(Math.abs(soon - 1_680)).toBeLessThan(20);
  expect(late).toBeLessThan(1_680 + 24 * 10);
});

test('an hour without readings is taken for that of the day before', () => {
  const values = week((hour) => 100 + 40 * Math.sin((2 * Math.PI * hour) / 24));
  const points = values.map((value, hour) => ({ atMs: (hour + 1) * HOUR, value })).filter((_, hour) => hour % 10 !== 9 || hour < 24);
  const fit = fitSeasonal(points, 168 * HOUR);
  expect(fit).toMatchObject({ kind: 'seasonal' });
  if (fit.kind === 'seasonal') expect(seasonalAt(fit, 175 * HOUR).centre).toBeCloseTo(values[174 - 24]!, 4);
});

test.each([
  [96, 'seasonal'],
  [95, 'not_ready'],
])('of %d hours it is %s', (hours, kind) => {
  const points = Array.from({ length: hours }, (_, hour) => ({ atMs: (hour + 1) * HOUR, value: hour }));
  expect(fitSeasonal(points, hours * HOUR).kind).toBe(kind);
});
