import { addLags, lagWithin, type LagCounts } from './lag.ts';

/** While there is too little to go by. */
export const UNMEASURED_DELAY_MS = 10_000;
/** With fewer events than these a 99th percentile says nothing. */
const FEWEST_EVENTS = 30;
const SHARE = 0.99;
/** What a delay may be: few steps, so that it does not follow every little change. */
const STEPS_MS = [1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000] as const;

/**
 * The delay that fits how late events come: the smallest step within which 99 % of them had come, of the latest of the names; the largest
 * step where none is enough.
 * @param names those a rule looks at; null stands for every event
 */
export function fittingDelayMs(names: readonly (string | null)[], lags: ReadonlyMap<string, LagCounts>): number {
  const measured = names.flatMap((name) => {
    const counts = name === null ? addLags([...lags.values()]) : lags.get(name);
    if (counts === undefined || counts.reduce((sum, count) => sum + count, 0) < FEWEST_EVENTS) return [];
    return lagWithin(SHARE, counts) ?? [];
  });
  if (measured.length === 0) return UNMEASURED_DELAY_MS;
  const lagMs = Math.max(...measured);
  return STEPS_MS.find((step) => step >= lagMs) ?? STEPS_MS.at(-1)!;
}

/**
 * The delay of a slot, on its way from that of the slot before to the one that fits. It grows by half a step of the rule at most, so that the
 * window's end never stands still or goes back, and what was looked at is not looked at again as if it were new. It shrinks only as far as the
 * shortest window still reaches back to where the one before it ended, so that no event falls between two windows.
 */
export function nextDelayMs(
  beforeMs: number,
  fittingMs: number,
  { everyMs, shortestWindowMs }: { everyMs: number; shortestWindowMs: number },
): number {
  if (fittingMs >= beforeMs) return Math.min(fittingMs, beforeMs + Math.floor(everyMs / 2));
  return Math.max(fittingMs, beforeMs - Math.max(0, shortestWindowMs - everyMs));
}
