import type { EpochMs } from './clock.ts';

const DAY_S = 86_400;

/** Spreads tenants over the clock: whole seconds of a day, in milliseconds, the same for a tenant for ever (FNV-1a, 32 bits). */
export function phaseOf(tenantId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < tenantId.length; index++) hash = Math.imul(hash ^ tenantId.charCodeAt(index), 0x01000193);
  return ((hash >>> 0) % DAY_S) * 1_000;
}

/** The newest slot `phase + k × every` at or before an instant. */
const slotAtOrBefore = (atMs: EpochMs, everyMs: number, phaseMs: number): EpochMs =>
  Math.floor((atMs - phaseMs) / everyMs) * everyMs + phaseMs;

/** The first slot after an instant, never the instant itself. */
export const nextSlot = (afterMs: EpochMs, everyMs: number, phaseMs: number): EpochMs =>
  slotAtOrBefore(afterMs, everyMs, phaseMs) + everyMs;

/** The newest slot in `(fromMs, toMs]`: the one a rule is evaluated for by a run covering that span. Null: the rule is not due. */
export function latestSlotIn(fromMs: EpochMs, toMs: EpochMs, everyMs: number, phaseMs: number): EpochMs | null {
  const slotMs = slotAtOrBefore(toMs, everyMs, phaseMs);
  return slotMs > fromMs ? slotMs : null;
}

export interface ClaimPlan {
  /** The newest slot that is due: the one that runs. */
  runSlotMs: EpochMs;
  /** The older ones, which do not; both ends inclusive. Null: none was missed. */
  skipped: { fromMs: EpochMs; toMs: EpochMs; count: number } | null;
  nextSlotMs: EpochMs;
}

/**
 * What to do with a schedule whose next slot has fallen due (`nextSlotMs ≤ nowMs`): the newest due slot runs, those missed before it are
 * counted, and the next slot lies after now. A next slot off the grid, left by a change of schedule, runs as it stands.
 */
export function planClaim(due: { nextSlotMs: EpochMs; nowMs: EpochMs; everyMs: number; phaseMs: number }): ClaimPlan {
  const { nextSlotMs, nowMs, everyMs, phaseMs } = due;
  const runSlotMs = latestSlotIn(nextSlotMs, nowMs, everyMs, phaseMs) ?? nextSlotMs;
  const following = nextSlot(runSlotMs, everyMs, phaseMs);
  if (runSlotMs <= nextSlotMs) return { runSlotMs, skipped: null, nextSlotMs: following };
  const lastMissedMs = latestSlotIn(nextSlotMs, runSlotMs - 1, everyMs, phaseMs) ?? nextSlotMs;
  const count = Math.ceil((lastMissedMs - nextSlotMs) / everyMs) + 1;
  return { runSlotMs, skipped: { fromMs: nextSlotMs, toMs: lastMissedMs, count }, nextSlotMs: following };
}
