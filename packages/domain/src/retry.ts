import type { EpochMs } from './clock.ts';

/** How every delivery is retried. */
export const RETRY = {
  firstDelayMs: 5_000,
  factor: 4,
  /** Each delay lies within ± this share of its nominal length, so that what failed together does not come back together. */
  jitter: 0.2,
  maxDelayMs: 6 * 3_600_000,
  /** Attempts that count; one answered with `Retry-After` does not. */
  maxCountedAttempts: 8,
  minRetryAfterMs: 1_000,
  maxRetryAfterMs: 3_600_000,
  /** After its trigger a delivery that is still unsent is given up. */
  expiresAfterMs: 24 * 3_600_000,
} as const;

/** After so many failures in a row a channel is called failing, and people are told: minutes after the first, long before a message is given up. */
export const FAILING_AFTER = 5;

/**
 * How long to wait after an attempt that failed but may yet succeed, and whether that attempt counts.
 * Null: it was the last one allowed.
 * @param failed.countedAttempts attempts that counted before this one
 * @param failed.retryAfterMs what the receiver asked for; null: nothing
 * @param failed.random uniform in [0, 1)
 */
export function retryDelay(failed: {
  countedAttempts: number;
  retryAfterMs: number | null;
  random: number;
}): { delayMs: number; counted: boolean } | null {
  const { countedAttempts, retryAfterMs, random } = failed;
  if (retryAfterMs !== null) {
    return { delayMs: Math.min(Math.max(retryAfterMs, RETRY.minRetryAfterMs), RETRY.maxRetryAfterMs), counted: false };
  }
  if (countedAttempts + 1 >= RETRY.maxCountedAttempts) return null;
  const nominalMs = RETRY.firstDelayMs * RETRY.factor ** countedAttempts;
  const spreadMs = nominalMs * (1 + RETRY.jitter * (2 * random - 1));
  return { delayMs: Math.round(Math.min(spreadMs, RETRY.maxDelayMs)), counted: true };
}

/** The instant at which a delivery that is still unsent is given up. */
export const expiresAt = (triggerAtMs: EpochMs): EpochMs => triggerAtMs + RETRY.expiresAfterMs;

export const isExpired = (triggerAtMs: EpochMs, nowMs: EpochMs): boolean => nowMs >= expiresAt(triggerAtMs);

// Too early to be told from a network fault, or said to pass: RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4.
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/** What an HTTP status means for a delivery. `gone` (410) is final and switches the channel off. */
export function verdictOfStatus(status: number): 'delivered' | 'retry' | 'rejected' | 'gone' {
  if (status >= 200 && status < 300) return 'delivered';
  if (PASSING.has(status) || status >= 500) return 'retry';
  return status === 410 ? 'gone' : 'rejected';
}
