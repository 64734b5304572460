import { expect, test } from 'vitest';
import type { Origin } from './origin.ts';
import { originWords } from './origin-words.ts';

const AT = '2026-05-20T10:00:00.000Z';
const baseline: Origin = {
  kind: 'baseline',
  baseline: 120,
  multiplier: 2,
  floor: null,
  season: 'hourOfDay',
  statistic: 'median',
  points: 84,
};
const change: Origin = { kind: 'change', versus: 'previous', base: 400, percent: 25, floor: null };
const anomaly: Origin = { kind: 'anomaly', expected: 100, spread: 5, score: 4.2, method: 'robust', points: 250, testedError: null };
const forecast: Origin = { kind: 'forecast', now: 80, slopePerHour: 2.5, withinMs: 14_400_000, crossesAt: AT, confidence: 0.93, hours: 24 };
const budget: Origin = {
  kind: 'budget',
  amount: 500,
  step: 80,
  spent: 81.2,
  periodFrom: '2026-05-01T00:00:00.000Z',
  periodTo: AT,
  overrunAt: AT,
};

test.each<[Origin, string | null, string]>([
  [baseline, 'ms', 'the median at this hour of the day is 120 ms, times 2'],
  [
    { ...baseline, season: 'hourOfWeek', statistic: 'avg', floor: 50 },
    'ms',
    'the average at this hour of the week is 120 ms, times 2, floor 50 ms',
  ],
  [{ ...baseline, season: 'none' }, null, 'the median at any hour is 120, times 2'],
  [change, 'USD', 'it was $400.00 in the window before: 25 % more'],
  [{ ...change, versus: '7d', percent: -25 }, 'USD', 'it was $400.00 7d before: 25 % less'],
  [{ ...change, base: 0, percent: null }, 'USD', 'it was $0.00 in the window before: from nothing'],
  [anomaly, 'ms', '100 ms is usual, give or take 5 ms: 4.2 spreads above'],
  [
    { ...anomaly, score: -3, method: 'seasonal', testedError: 2.5 },
    'ms',
    '100 ms is usual, give or take 5 ms: 3 spreads below; the model was 2.5 ms off when it was tried',
  ],
  [{ ...anomaly, spread: 0, score: null }, 'ms', '100 ms is usual, give or take 0 ms: never seen before'],
  [forecast, 'percent', `80 % now, changing by 2.5 % an hour: crosses at ${AT} (confidence 93 %)`],
  [{ ...forecast, crossesAt: null }, 'percent', '80 % now, changing by 2.5 % an hour: not within 4h (confidence 93 %)'],
  [budget, 'USD', `81.2 % of $500.00 spent since 2026-05-01T00:00:00.000Z; all is spent at ${AT} if it goes on so`],
  [{ ...budget, overrunAt: null }, 'USD', '81.2 % of $500.00 spent since 2026-05-01T00:00:00.000Z; it will last the period'],
  [{ kind: 'ratio', numerator: 3, denominator: 4, share: 75, bound: 'none' }, 'percent', '3 of 4, 75 %'],
  [
    { kind: 'ratio', numerator: 3, denominator: 4, share: 75, bound: 'wilson95' },
    'percent',
    '3 of 4, 75 %, counted as its certain part (Wilson, 95 %)',
  ],
  [
    { kind: 'anomaly_severity', now: 160, expected: 100, spread: 8, score: -7.5, points: 250 },
    null,
    '160 where 100 is usual: 7.5 spreads away',
  ],
  [{ kind: 'anomaly_severity', now: 6, expected: 5, spread: 0, score: null, points: 250 }, null, '6 where 5 is usual: never seen before'],
])('%o', (origin, unit, expected) => {
  expect(originWords(origin, unit)).toBe(expected);
});
