import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isExpired, RETRY, retryDelay, verdictOfStatus } from './retry.ts';

describe('delays', () => {
  test.each([
    [0, 5_000],
    [1, 20_000],
    [2, 80_000],
    [3, 320_000],
    [4, 1_280_000],
    [5, 5_120_000],
    [6, 20_480_000],
  ])('after %d counted attempts the next failure waits %d ms', (countedAttempts, delayMs) => {
    expect(retryDelay({ countedAttempts, retryAfterMs: null, random: 0.5 })).toEqual({ delayMs, counted: true });
  });

  test('the eighth counted attempt is the last', () => {
    expect(retryDelay({ countedAttempts: 7, retryAfterMs: null, random: 0.5 })).toBeNull();
  });

  test('stay within ± 20 % of their length and below six hours', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (countedAttempts, random) => {
          const nominalMs = RETRY.firstDelayMs * RETRY.factor ** countedAttempts;
          const { delayMs } = retryDelay({ countedAttempts, retryAfterMs: null, random }) ?? { delayMs: Number.NaN };
          expect(delayMs).toBeGreaterThanOrEqual(Math.floor(nominalMs * 0.8));
          expect(delayMs).toBeLessThanOrEqual(Math.min(Math.ceil(nominalMs * 1.2), 6 * 3_600_000));
        },
      ),
    );
  });

  test.each([
    [3_000, 3_000],
    [0, 1_000],
    [-5_000, 1_000],
    [500, 1_000],
    [3_600_000, 3_600_000],
    [86_400_000, 3_600_000],
    [Infinity, 3_600_000],
  ])('a receiver that asks for %d ms gets %d ms, and the attempt does not count', (retryAfterMs, delayMs) => {
    expect(retryDelay({ countedAttempts: 7, retryAfterMs, random: 0 })).toEqual({ delayMs, counted: false });
  });

  test('nothing is tried 24 hours after the trigger', () => {
    expect(isExpired(0, 86_399_999)).toBe(false);
    expect(isExpired(0, 86_400_000)).toBe(true);
  });
});

test.each([
  [200, 'delivered'],
  [201, 'delivered'],
  [204, 'delivered'],
  [299, 'delivered'],
  [301, 'rejected'],
  [302, 'rejected'],
  [304, 'rejected'],
  [400, 'rejected'],
  [401, 'rejected'],
  [403, 'rejected'],
  [404, 'rejected'],
  [409, 'rejected'],
  [413, 'rejected'],
  [422, 'rejected'],
  [408, 'retry'],
  [425, 'retry'],
  [429, 'retry'],
  [410, 'gone'],
  [500, 'retry'],
  [501, 'retry'],
  [502, 'retry'],
  [503, 'retry'],
  [504, 'retry'],
  [599, 'retry'],
])('status %d is %s', (status, verdict) => {
  expect(verdictOfStatus(status)).toBe(verdict);
});
