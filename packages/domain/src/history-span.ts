import type { EpochMs } from './clock.ts';
import type { HistoryInput } from './compiled-rule.ts';
import { DAY_MS, HOUR_MS } from './history-points.ts';

/** An hour is prepared some minutes after it is over; until then what was known before it holds. */
const SETTLED_MS = 10 * 60_000;

/**
 * The past that counts for a window that ends at `endMs`: whole hours, the same for every slot of a day (UTC), or hour. A function of the slot alone, so
 * that a preview of a past slot compares with what was known then.
 */
export function historySpan({ lookbackMs, refresh }: HistoryInput, endMs: EpochMs): { fromMs: EpochMs; toMs: EpochMs } {
  const unitMs = refresh === 'day' ? DAY_MS : HOUR_MS;
  const toMs = Math.floor((endMs - SETTLED_MS) / unitMs) * unitMs;
  return { fromMs: toMs - Math.ceil(lookbackMs / HOUR_MS) * HOUR_MS, toMs };
}
