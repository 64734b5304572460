import { countUnfinishedRuns, insertAuditEvents, insertExtraRun, lockSchedule, newId, withTenantsSql, type ExtraRun } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { hintRuns } from '../send-hints.ts';
import { claimSlots, UNFINISHED_MAX } from './claim-slots.ts';

export interface WantedRun extends Pick<ExtraRun, 'tenantId' | 'kind' | 'ruleIds'> {
  /** Whoever asked, for the audit log; null: nobody did. */
  actor: string | null;
  /** As for a claim: somebody outside says when to look, so that slots before the newest were not missed. */
  coversOlder?: boolean;
}

export interface QueuedRun {
  tenantId: string;
  id: string;
  slotMs: EpochMs;
}

/**
 * Gives a tenant a run for this moment, recorded before it is hinted. Slots that are due and not claimed yet are claimed first, so that the
 * tenant's runs stay in order. `busy`: too many of its runs are unfinished. Null: there is no such tenant.
 */
export async function queueRun(deps: PipelineDeps, wanted: WantedRun): Promise<QueuedRun | 'busy' | null> {
  const { tenantId, kind, ruleIds, actor, coversOlder = false } = wanted;
  const queued = await withTenantsSql(deps.db, [tenantId], async (sql) => {
    const locked = await lockSchedule(sql, tenantId);
    if (locked === null) return null;
    const { schedule, freeMs } = locked;
    const claimed =
      schedule === null || schedule.nextSlotMs > freeMs
        ? []
        : await claimSlots(sql, [schedule], freeMs, { coversOlder, logger: deps.logger });
    const unfinished = (await countUnfinishedRuns(sql, [tenantId])).get(tenantId) ?? 0;
    if (unfinished >= UNFINISHED_MAX) return { claimed, run: null };
    const run = { tenantId, id: newId(), slotMs: Math.max(freeMs, ...claimed.map(({ slotMs }) => slotMs + 1)) };
    await insertExtraRun(sql, { ...run, kind, ruleIds });
    if (actor !== null) {
      const data = { slot: new Date(run.slotMs).toISOString() };
      await insertAuditEvents(sql, [{ tenantId, id: newId(), actor, action: `run.${kind}`, subject: run.id, data }]);
    }
    return { claimed, run };
  });
  if (queued === null) return null;
  const { claimed, run } = queued;
  deps.metrics.slotsSkipped.inc(claimed.reduce((total, { skipped }) => total + (skipped?.count ?? 0), 0));
  const fresh = claimed.filter(({ skipped }) => skipped === null);
  await hintRuns(
    deps,
    [...fresh, ...(run === null ? [] : [run])].map(({ id }) => ({ tenantId, runId: id })),
  );
  return run ?? 'busy';
}
