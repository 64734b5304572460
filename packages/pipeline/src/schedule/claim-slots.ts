import { advanceSchedules, countUnfinishedRuns, insertRuns, newId, type DueSchedule, type NewRun, type SqlTx } from '@tocsin/db';
import { planCalendarClaim, type Calendar, type EpochMs } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';

/** Runs of one tenant that may wait or be under way. Whoever does not keep up is evaluated for fewer slots, not for ever older ones. */
export const UNFINISHED_MAX = 10;

export interface ClaimOptions {
  logger: PipelineDeps['logger'];
  /** Whoever claims looks more rarely than the schedules say: the newest run stands for the slots before it, which are not missed. */
  coversOlder?: boolean;
}

/**
 * Records the runs of schedules that are due at `nowMs` and moves the schedules on; answers the runs that are new. The schedules must be
 * locked, their tenants set.
 */
export async function claimSlots(sql: SqlTx, due: readonly DueSchedule[], nowMs: EpochMs, options: ClaimOptions): Promise<NewRun[]> {
  const unfinished = await countUnfinishedRuns(
    sql,
    due.map(({ tenantId }) => tenantId),
  );
  const plans = due.map((schedule) => planRuns(schedule, nowMs, reasonToSkip(schedule, unfinished.get(schedule.tenantId) ?? 0), options));
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
  nextSlotMs: EpochMs | null;
  runs: NewRun[];
}

function planRuns(schedule: DueSchedule, nowMs: EpochMs, reason: string | null, { coversOlder = false, logger }: ClaimOptions): ClaimPlan {
  const { tenantId, nextSlotMs, lastSlotMs, calendar, wasBackedOff } = schedule;
  const plan = planReadable(calendar, { nextSlotMs, nowMs }, (err) =>
    logger.error({ err, tenantId }, 'a calendar cannot be followed; the tenant is looked at by its grid'),
  );
  const { runSlotMs, skipped: older } = plan;
  const skipped = reason === null ? null : { reason, fromMs: runSlotMs, toMs: runSlotMs, count: 1 };
  const covered = coversOlder && skipped === null && !wasBackedOff ? older : null;
  const common = { tenantId, previousSlotMs: lastSlotMs };
  const runs: NewRun[] = [{ ...common, id: newId(), slotMs: runSlotMs, skipped, covered }];
  if (older !== null && covered === null) {
    const missed = { reason: wasBackedOff ? 'backed_off' : 'missed', ...older };
    // The row takes the place of the newest slot it stands for.
    runs.unshift({ ...common, id: newId(), slotMs: older.toMs, skipped: missed, covered: null });
  }
  return { tenantId, slotMs: runSlotMs, nextSlotMs: plan.nextSlotMs, runs };
}

/** A calendar of another version, or a time zone this runtime does not know: nobody else may wait for it, and its tenant must not go unwatched. */
function planReadable(
  calendar: Calendar,
  due: { nextSlotMs: EpochMs; nowMs: EpochMs },
  tell: (error: unknown) => void,
): ReturnType<typeof planCalendarClaim> {
  try {
    return planCalendarClaim(calendar, due);
  } catch (error) {
    tell(error);
    return planCalendarClaim({ ...calendar, cron: null, activeHours: [] }, due);
  }
}
