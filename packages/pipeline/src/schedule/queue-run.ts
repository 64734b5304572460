import { insertAuditEvents, insertExtraRun, newId, type ExtraRun } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { hintRuns } from '../send-hints.ts';
import { afterDueSlots } from './after-due-slots.ts';

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
 * Gives a tenant a run for this moment, recorded before it is hinted. `busy`: too many of its runs are unfinished. Null: there is no such
 * tenant.
 */
export async function queueRun(deps: PipelineDeps, wanted: WantedRun): Promise<QueuedRun | 'busy' | null> {
  const { tenantId, kind, ruleIds, actor, coversOlder = false } = wanted;
  const queued = await afterDueSlots(deps, { tenantId, coversOlder }, async (sql, { nowMs, freeFrom, isFull }) => {
    if (isFull) return 'busy';
    const run = { tenantId, id: newId(), slotMs: freeFrom(nowMs) };
    await insertExtraRun(sql, { ...run, kind, ruleIds });
    if (actor !== null) {
      const data = { slot: new Date(run.slotMs).toISOString() };
      await insertAuditEvents(sql, [{ tenantId, id: newId(), actor, action: `run.${kind}`, subject: run.id, data }]);
    }
    return run;
  });
  if (queued !== null && queued !== 'busy') await hintRuns(deps, [{ tenantId, runId: queued.id }]);
  return queued;
}
