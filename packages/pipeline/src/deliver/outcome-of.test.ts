import type { Verdict } from '@tocsin/channels';
import { expect, test } from 'vitest';
import { outcomeOf } from './outcome-of.ts';

const answered = { statusCode: 500, responseExcerpt: null };
const failed: Verdict = { outcome: 'retry', reason: 'http_500', retryAfterMs: null, ...answered };
const told: Verdict = { outcome: 'retry', reason: 'http_429', retryAfterMs: 3_000, ...answered };
const first = { countedBefore: 0, isTest: false, random: 0.5 };

test('delivered is delivered', () => {
  expect(outcomeOf({ outcome: 'delivered', ...answered }, first)).toEqual({
    status: 'delivered',
    reason: null,
    nextInMs: null,
    isCounted: true,
  });
});

test('rejected is dead, with its reason', () => {
  expect(outcomeOf({ outcome: 'rejected', reason: 'http_404', disable: false, ...answered }, first)).toMatchObject({
    status: 'dead',
    reason: 'http_404',
    nextInMs: null,
  });
});

test('what this installation is not set up to send is suppressed, a test too', () => {
  const unset: Verdict = { outcome: 'suppressed', reason: 'smtp_not_configured', statusCode: null, responseExcerpt: null };
  for (const isTest of [false, true])
    expect(outcomeOf(unset, { ...first, isTest })).toEqual({
      status: 'suppressed',
      reason: 'smtp_not_configured',
      nextInMs: null,
      isCounted: true,
    });
});

test('seven failures are each followed by another attempt, the eighth by none', () => {
  const outcomes = Array.from({ length: 8 }, (_, countedBefore) => outcomeOf(failed, { ...first, countedBefore }));
  expect(outcomes.map(({ nextInMs }) => nextInMs)).toEqual([5_000, 20_000, 80_000, 320_000, 1_280_000, 5_120_000, 20_480_000, null]);
  expect(outcomes.at(-1)).toMatchObject({ status: 'dead', reason: 'attempts_exhausted' });
});

test('an attempt whose receiver said when to come back does not count, not even the last', () => {
  expect(outcomeOf(told, { ...first, countedBefore: 7 })).toEqual({
    status: 'retrying',
    reason: 'http_429',
    nextInMs: 3_000,
    isCounted: false,
  });
});

test('a test is tried once', () => {
  expect(outcomeOf(told, { ...first, isTest: true })).toMatchObject({ status: 'dead', reason: 'http_429', nextInMs: null });
});
