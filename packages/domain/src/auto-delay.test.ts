import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fittingDelayMs, nextDelayMs } from './auto-delay.ts';
import { addLags, LAG_BUCKETS, lagBucket, lagWithin, type LagCounts } from './lag.ts';

const MINUTE = 60_000;
const countsOf = (...lags: number[]): LagCounts => {
  const counts = new Array<number>(LAG_BUCKETS).fill(0);
  for (const lag of lags) counts[lagBucket(lag)]! += 1;
  return counts;
};
const many = (lagMs: number, count = 100): number[] => Array.from({ length: count }, () => lagMs);

describe('lags in buckets', () => {
  test('say a percentile that is never too small, and at most a quarter too large', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 86_400_000 }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.99),
        (lags, share) => {
          const exact = lags.toSorted((a, b) => a - b)[Math.ceil(share * lags.length) - 1]!;
          const said = lagWithin(share, countsOf(...lags))!;
          expect(said).toBeGreaterThanOrEqual(exact);
          expect(said).toBeLessThanOrEqual(Math.ceil(exact * 1.25) + 1);
        },
      ),
    );
  });

  test('take what comes ahead of its time as no lag, and what comes after a month as the longest', () => {
    expect([lagBucket(-5_000), lagBucket(0), lagBucket(1), lagBucket(30 * 86_400_000)]).toEqual([0, 0, 0, LAG_BUCKETS - 1]);
    expect(lagWithin(0.5, [])).toBeNull();
    expect(addLags([[1, 2], [3]]).slice(0, 3)).toEqual([4, 2, 0]);
  });
});

describe('the delay that fits', () => {
  const lags = new Map([
    ['quick', countsOf(...many(3))],
    ['usual', countsOf(...many(50, 98), 8_500, 9_000)],
    ['slow', countsOf(...many(40_000))],
    ['backfill', countsOf(...many(80_000_000))],
    ['rare', countsOf(...many(40_000, 29))],
  ]);
  test.each<[string, (string | null)[], number]>([
    ['is a second at least', ['quick'], 1_000],
    ['is the next step above the 99th percentile', ['usual'], 10_000],
    ['is that of the latest of several names', ['quick', 'slow', 'usual'], 60_000],
    ['is five minutes at most', ['backfill'], 300_000],
    ['is ten seconds while there are too few events', ['rare'], 10_000],
    ['is ten seconds for what nobody has seen', ['never'], 10_000],
    ['leaves out names without enough events', ['rare', 'never', 'quick'], 1_000],
    ['is that of all events together where a comparison looks at all', [null], 300_000],
  ])('%s', (_what, names, delayMs) => {
    expect(fittingDelayMs(names, lags)).toBe(delayMs);
  });
});

describe('on its way to another delay', () => {
  test('it grows by half a step a slot, and shrinks at once where windows overlap', () => {
    const rule = { everyMs: MINUTE, shortestWindowMs: 5 * MINUTE };
    expect([nextDelayMs(10_000, 60_000, rule), nextDelayMs(40_000, 60_000, rule), nextDelayMs(60_000, 1_000, rule)]).toEqual([
      40_000, 60_000, 1_000,
    ]);
  });

  test('it does not shrink where a window reaches no further back than a step', () => {
    expect(nextDelayMs(60_000, 1_000, { everyMs: MINUTE, shortestWindowMs: MINUTE })).toBe(60_000);
  });

  test('the windows’ ends always move on, and windows that overlapped or met leave no event out', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 3_600 }),
        fc.integer({ min: 10, max: 7_200 }),
        fc.array(fc.constantFrom(1_000, 10_000, 60_000, 300_000), { minLength: 1, maxLength: 50 }),
        (everyS, windowS, targets) => {
          const rule = { everyMs: everyS * 1_000, shortestWindowMs: windowS * 1_000 };
          let [delayMs, endMs] = [10_000, -10_000];
          for (const [index, target] of targets.entries()) {
            delayMs = nextDelayMs(delayMs, target, rule);
            const nextEndMs = (index + 1) * rule.everyMs - delayMs;
            expect(nextEndMs).toBeGreaterThan(endMs);
            if (windowS >= everyS) expect(nextEndMs - rule.shortestWindowMs).toBeLessThanOrEqual(endMs);
            endMs = nextEndMs;
          }
        },
      ),
    );
  });
});
