import {
  advanceSchedules,
  countUnfinishedRuns,
  insertRuns,
  lockDueSchedules,
  newId,
  nextDue,
  readDueSchedules,
  setTenants,
  withPipeline,
  type DueSchedule,
  type NewRun,
  type SqlTx,
} from '@tocsin/db';
import { planClaim, type EpochMs } from '@tocsin/domain';
import { faultPoint } from '@tocsin/runtime';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { hintRuns } from '../send-hints.ts';

export interface ClaimedSlots {
  /** Runs that are new and hinted. */
  runs: number;
  /** Slots that were missed and are on record as skipped. */
  skipped: number;
  /** How long until there is something to claim, at once included; null: no tenant has anything to look at. */
  nextInMs: number | null;
  /** By the database's clock. */
  nowMs: EpochMs;
}

const TENANTS_PER_CLAIM = 500;
/** Runs of one tenant that may wait or be under way. Whoever does not keep up is evaluated for fewer slots, not for ever older ones. */
export const UNFINISHED_MAX = 10;

/**
 * Claims the slots that have fallen due: one run per tenant, recorded before it is hinted. Any number of processes may do so at a time;
 * each takes schedules nobody else holds, and a slot that has a run keeps it. A tenant with `UNFINISHED_MAX` unfinished runs gets no more:
 * its slots are skipped as `behind` until one has ended.
 */
export async function claimDueSlots(deps: PipelineDeps, limit: number = TENANTS_PER_CLAIM): Promise<ClaimedSlots> {
  const claimed = await withPipeline(deps.db, async (sql) => {
    const tenantIds = await lockDueSchedules(sql, limit);
    const runs = tenantIds.length === 0 ? [] : await claimSlots(sql, tenantIds);
    const { dueMs, nowMs } = await nextDue(sql);
    if (runs.length > 0) faultPoint('scheduler.before-commit');
    return { runs, nextInMs: dueMs === null ? null : dueMs - nowMs, nowMs };
  });
  const queued = claimed.runs.filter((run) => run.skipped === null);
  const skipped = claimed.runs.reduce((total, run) => total + (run.skipped?.count ?? 0), 0);
  if (queued.length > 0) faultPoint('scheduler.after-commit');
  deps.metrics.slotsSkipped.inc(skipped);
  await hintRuns(
    deps,
    queued.map((run) => ({ tenantId: run.tenantId, runId: run.id })),
  );
  return { runs: queued.length, skipped, nextInMs: claimed.nextInMs, nowMs: claimed.nowMs };
}

/** Answers the runs that are new. The schedules must be locked. */
async function claimSlots(sql: SqlTx, tenantIds: readonly string[]): Promise<NewRun[]> {
  faultPoint('scheduler.after-claim');
  await setTenants(sql, tenantIds);
  const { nowMs, schedules } = await readDueSchedules(sql, tenantIds);
  const unfinished = await countUnfinishedRuns(sql, tenantIds);
  const plans = schedules.map((schedule) => planRuns(schedule, nowMs, (unfinished.get(schedule.tenantId) ?? 0) >= UNFINISHED_MAX));
  const runs = plans.flatMap((plan) => plan.runs);
  const fresh = new Set(await insertRuns(sql, runs));
  await advanceSchedules(sql, plans);
  return runs.filter((run) => fresh.has(run.id));
}

interface ClaimPlan {
  tenantId: string;
  slotMs: EpochMs;
  nextSlotMs: EpochMs;
  runs: NewRun[];
}

function planRuns(schedule: DueSchedule, nowMs: EpochMs, isBehind: boolean): ClaimPlan {
  const { tenantId, nextSlotMs, lastSlotMs, everyMs, phaseMs } = schedule;
  const plan = planClaim({ nextSlotMs, nowMs, everyMs, phaseMs });
  const behind = { reason: 'behind', fromMs: plan.runSlotMs, toMs: plan.runSlotMs, count: 1 };
  const run: NewRun = { tenantId, id: newId(), slotMs: plan.runSlotMs, previousSlotMs: lastSlotMs, skipped: isBehind ? behind : null };
  const runs = [run];
  if (plan.skipped !== null) {
    const reason = schedule.wasBackedOff ? 'backed_off' : 'missed';
    // The row takes the place of the newest slot it stands for.
    runs.unshift({ tenantId, id: newId(), slotMs: plan.skipped.toMs, previousSlotMs: lastSlotMs, skipped: { reason, ...plan.skipped } });
  }
  return { tenantId, slotMs: plan.runSlotMs, nextSlotMs: plan.nextSlotMs, runs };
}
