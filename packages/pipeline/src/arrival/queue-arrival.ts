import { insertExtraRun, newestArrival, newId, overtakeArrivals, setArrivalRules } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { afterDueSlots } from '../schedule/after-due-slots.ts';
import { hintRuns } from '../send-hints.ts';

export interface Arrival {
  tenantId: string;
  /** Whose events have arrived. */
  ruleIds: readonly string[];
  /** Just after the newest of the events. */
  endsAtMs: EpochMs;
}

export interface AwaitedRun {
  slotMs: EpochMs;
  /** All that it evaluates. */
  ruleIds: readonly string[];
  /** How long from now; nothing or less: it is evaluated already, and sees no event that arrives from now on. */
  inMs: number;
}

/** Arrival runs of a tenant are so far apart, whoever asks for them. It is also how far the clock of a sender may be ahead. */
export const APART_MS = 1_000;

/**
 * Sees to it that these rules are evaluated now that the events are stored: by a run for this moment or, where the tenant's last one was within the
 * second, by the one run for the end of that second, which everybody asks for. Those that nobody has begun with a second after their
 * time are skipped as `overtaken`, and left to the new one. `busy`: too many of the tenant's runs are unfinished. Null: there is no such tenant.
 */
export async function queueArrival(deps: PipelineDeps, { tenantId, ruleIds, endsAtMs }: Arrival): Promise<AwaitedRun | 'busy' | null> {
  const queued = await afterDueSlots(deps, { tenantId }, async (sql, { nowMs, freeFrom, isFull }) => {
    const newest = await newestArrival(sql, tenantId);
    const neededMs = Math.max(nowMs, Math.min(endsAtMs, nowMs + APART_MS));
    const waiting = newest?.isWaiting === true ? newest : null;
    if (waiting !== null && waiting.slotMs > nowMs && waiting.slotMs >= neededMs) {
      const together = union(waiting.ruleIds, ruleIds);
      if (together.length > waiting.ruleIds.length) await setArrivalRules(sql, { tenantId, slotMs: waiting.slotMs, ruleIds: together });
      return { runId: null, slotMs: waiting.slotMs, ruleIds: together, nowMs };
    }
    if (isFull) return 'busy';
    const overtaken = waiting === null ? [] : await overtakeArrivals(sql, { tenantId, upToMs: nowMs - APART_MS });
    const slotMs = freeFrom(Math.max(neededMs, newest === null ? 0 : newest.slotMs + APART_MS));
    const run = { tenantId, id: newId(), slotMs, ruleIds: union(overtaken, ruleIds) };
    await insertExtraRun(sql, { ...run, kind: 'arrival' });
    return { runId: run.id, slotMs, ruleIds: run.ruleIds, nowMs };
  });
  if (queued === null || queued === 'busy') return queued;
  const inMs = queued.slotMs - queued.nowMs;
  if (queued.runId !== null) await hintRuns(deps, [{ tenantId, runId: queued.runId }], inMs > 0 ? { delayMs: inMs } : {});
  return { slotMs: queued.slotMs, ruleIds: queued.ruleIds, inMs };
}

const union = (some: readonly string[], others: readonly string[]): string[] => [...new Set([...some, ...others])];
