import type { Verdict } from '@tocsin/channels';
import { retryDelay } from '@tocsin/domain';

export interface Outcome {
  status: 'delivered' | 'retrying' | 'dead' | 'suppressed';
  reason: string | null;
  /** Null: it is finished. */
  nextInMs: number | null;
  isCounted: boolean;
}

const finished = (status: 'delivered' | 'dead' | 'suppressed', reason: string | null): Outcome => ({
  status,
  reason,
  nextInMs: null,
  isCounted: true,
});

/**
 * What a verdict means for its delivery.
 * @param attempt.countedBefore attempts that counted before this one
 * @param attempt.isTest a test is tried once, so that who asked for it hears now
 * @param attempt.random uniform in [0, 1)
 */
export function outcomeOf(verdict: Verdict, attempt: { countedBefore: number; isTest: boolean; random: number }): Outcome {
  if (verdict.outcome === 'delivered') return finished('delivered', null);
  if (verdict.outcome === 'suppressed') return finished('suppressed', verdict.reason);
  if (verdict.outcome === 'rejected' || attempt.isTest) return finished('dead', verdict.reason);
  const again = retryDelay({ countedAttempts: attempt.countedBefore, retryAfterMs: verdict.retryAfterMs, random: attempt.random });
  if (again === null) return finished('dead', 'attempts_exhausted');
  return { status: 'retrying', reason: verdict.reason, nextInMs: again.delayMs, isCounted: again.counted };
}
