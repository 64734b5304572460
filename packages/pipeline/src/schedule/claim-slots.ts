import { advanceSchedules, countUnfinishedRuns, insertRuns, newId, type DueSchedule, type NewRun, type SqlTx } from '@tocsin/db';
import { planClaim, type EpochMs } from '@tocsin/domain';

/** Runs of one tenant that may wait or be under way. Whoever does not keep up is evaluated for fewer slots, not for ever older ones. */
export const UNFINISHED_MAX = 10;

/**
 * Records the runs of schedules that are due at `nowMs` and moves the schedules on; answers the runs that are new. The schedules must be
 * locked, their tenants set.
 */
export async function claimSlots(sql: SqlTx, due: readonly DueSchedule[], nowMs: EpochMs): Promise<NewRun[]> {
  const unfinished = await countUnfinishedRuns(
    sql,
    due.map(({ tenantId }) => tenantId),
  );
  const plans = due.map((schedule) => planRuns(schedule, nowMs, reasonToSkip(schedule, unfinished.get(schedule.tenantId) ?? 0)));
  const runs = plans.flatMap((plan) => plan.runs);
  const fresh = new Set(await insertRuns(sql, runs));
  await advanceSchedules(sql, plans);
  return runs.filter((run) => fresh.has(run.id));
}

/** Why not even the newest slot is evaluated; null: it is. */
function reasonToSkip({ isBackedOff }: DueSchedule, unfinished: number): string | null {
  if (isBackedOff) return 'backed_off';
  return unfinished >= UNFINISHED_MAX ? 'behind' : null;
}

interface ClaimPlan {
  tenantId: string;
  slotMs: EpochMs;
  nextSlotMs: EpochMs;
  runs: NewRun[];
}

function planRuns(schedule: DueSchedule, nowMs: EpochMs, reason: string | null): ClaimPlan {
  const { tenantId, nextSlotMs, lastSlotMs, everyMs, phaseMs } = schedule;
  const plan = planClaim({ nextSlotMs, nowMs, everyMs, phaseMs });
  const skipped = reason === null ? null : { reason, fromMs: plan.runSlotMs, toMs: plan.runSlotMs, count: 1 };
  const run: NewRun = { tenantId, id: newId(), slotMs: plan.runSlotMs, previousSlotMs: lastSlotMs, skipped };
  const runs = [run];
  if (plan.skipped !== null) {
    const why = schedule.wasBackedOff ? 'backed_off' : 'missed';
    // The row takes the place of the newest slot it stands for.
    runs.unshift({
      tenantId,
      id: newId(),
      slotMs: plan.skipped.toMs,
      previousSlotMs: lastSlotMs,
      skipped: { reason: why, ...plan.skipped },
    });
  }
  return { tenantId, slotMs: plan.runSlotMs, nextSlotMs: plan.nextSlotMs, runs };
}
