import {
  insertAuditEvents,
  lockDueSchedules,
  newId,
  nextDue,
  readDueSchedules,
  setTenants,
  withPipeline,
  type NewRun,
  type SqlTx,
} from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import { faultPoint } from '@tocsin/runtime';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { hintRuns } from '../send-hints.ts';
import { claimSlots, type ClaimOptions } from './claim-slots.ts';

export interface ClaimedSlots {
  /** Runs that are new and hinted. */
  runs: number;
  queued: { tenantId: string; slotMs: EpochMs }[];
  /** Slots that were missed and are on record as skipped. */
  skipped: number;
  /** How long until there is something to claim, at once included; null: no tenant has anything to look at. */
  nextInMs: number | null;
  /** By the database's clock. */
  nowMs: EpochMs;
}

interface Claiming extends Pick<ClaimOptions, 'coversOlder'> {
  /** Whom the audit log names; null: nobody asked. */
  actor?: string | null;
}

const TENANTS_PER_CLAIM = 500;

/**
 * Claims the slots that have fallen due: one run per tenant, recorded before it is hinted. Any number of processes may do so at a time;
 * each takes schedules nobody else holds, and a slot that has a run keeps it. A tenant with `UNFINISHED_MAX` unfinished runs gets no more:
 * its slots are skipped as `behind` until one has ended.
 */
export async function claimDueSlots(deps: PipelineDeps, claiming: Claiming = {}): Promise<ClaimedSlots> {
  const claimed = await withPipeline(deps.db, async (sql) => {
    const tenantIds = await lockDueSchedules(sql, TENANTS_PER_CLAIM);
    const runs = tenantIds.length === 0 ? [] : await claimLocked(sql, tenantIds, { ...claiming, logger: deps.logger });
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
  return { runs: queued.length, queued, skipped, nextInMs: claimed.nextInMs, nowMs: claimed.nowMs };
}

async function claimLocked(
  sql: SqlTx,
  tenantIds: readonly string[],
  { actor = null, ...options }: Claiming & ClaimOptions,
): Promise<NewRun[]> {
  faultPoint('scheduler.after-claim');
  await setTenants(sql, tenantIds);
  const { nowMs, schedules } = await readDueSchedules(sql, tenantIds);
  const runs = await claimSlots(sql, schedules, nowMs, options);
  const asked = actor === null ? [] : runs.filter(({ skipped }) => skipped === null);
  if (actor !== null && asked.length > 0) {
    const eventOf = ({ tenantId, id, slotMs, covered }: NewRun) => ({
      tenantId,
      id: newId(),
      actor,
      action: 'run.scheduled',
      subject: id,
      data: { slot: new Date(slotMs).toISOString(), covered: covered?.count ?? 0 },
    });
    await insertAuditEvents(sql, asked.map(eventOf));
  }
  return runs;
}
