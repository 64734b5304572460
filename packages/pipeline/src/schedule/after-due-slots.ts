import { countUnfinishedRuns, lockSchedule, nextSlotOf, withTenantsSql, type SqlTx } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { hintRuns } from '../send-hints.ts';
import { claimSlots, UNFINISHED_MAX } from './claim-slots.ts';

/** Where a run between the slots of a schedule may come to lie. */
export interface RoomBetweenSlots {
  nowMs: EpochMs;
  /** The first instant from `atMs` on that is after every run, and no slot of the schedule. */
  freeFrom: (atMs: EpochMs) => EpochMs;
  /** So many of the tenant's runs are unfinished that it gets no more. */
  isFull: boolean;
}

/**
 * Gives `work` one tenant's schedule, locked, in a transaction in which the slots that are due and not claimed yet are claimed first, so that
 * the tenant's runs stay in order. Null: there is no such tenant.
 */
export async function afterDueSlots<Result>(
  deps: PipelineDeps,
  { tenantId, coversOlder = false }: { tenantId: string; coversOlder?: boolean },
  work: (sql: SqlTx, room: RoomBetweenSlots) => Promise<Result>,
): Promise<Result | null> {
  const done = await withTenantsSql(deps.db, [tenantId], async (sql) => {
    const locked = await lockSchedule(sql, tenantId);
    if (locked === null) return null;
    const { schedule, nowMs, freeMs } = locked;
    const isDue = schedule !== null && schedule.nextSlotMs <= nowMs;
    const claimed = isDue ? await claimSlots(sql, [schedule], nowMs, { coversOlder, logger: deps.logger }) : [];
    const nextSlotMs = isDue ? await nextSlotOf(sql, tenantId) : (schedule?.nextSlotMs ?? null);
    const afterMs = Math.max(freeMs, ...claimed.map(({ slotMs }) => slotMs + 1));
    const unfinished = (await countUnfinishedRuns(sql, [tenantId])).get(tenantId) ?? 0;
    const freeFrom = (atMs: EpochMs): EpochMs => {
      const slotMs = Math.max(atMs, afterMs);
      return slotMs === nextSlotMs ? slotMs + 1 : slotMs;
    };
    return { claimed, result: await work(sql, { nowMs, freeFrom, isFull: unfinished >= UNFINISHED_MAX }) };
  });
  if (done === null) return null;
  const { claimed, result } = done;
  deps.metrics.slotsSkipped.inc(claimed.reduce((total, { skipped }) => total + (skipped?.count ?? 0), 0));
  const fresh = claimed.filter(({ skipped }) => skipped === null);
  await hintRuns(
    deps,
    fresh.map(({ id }) => ({ tenantId, runId: id })),
  );
  return result;
}
