import { leaveTrigger, newId, noteOnTimeline, putOwnerNotices, withTenantsSql, type TriggerRef } from '@tocsin/db';
import { RETRY } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';

/**
 * What becomes of a trigger that cannot be planned, for a reason of its own: people hear of it at once, in the product's inbox. It is tried
 * again as the sweep finds it, since the fault may be ours and mended soon, until it is too old to be told.
 */
export async function leaveUnplanned({ db, logger }: PipelineDeps, { tenantId, triggerId }: TriggerRef, error: unknown): Promise<void> {
  logger.error({ tenantId, triggerId, err: error }, 'a trigger cannot be planned');
  await withTenantsSql(db, [tenantId], async (sql) => {
    const left = await leaveTrigger(sql, { tenantId, triggerId }, RETRY.expiresAfterMs);
    if (left === null) return;
    const { alertId, kind, isOver } = left;
    const body = { kind: 'trigger_unplannable', triggerId, alertId, told: kind };
    await putOwnerNotices(sql, [
      { tenantId, id: newId(), aboutId: triggerId, title: 'A message about an alert could not be made ready: nobody has been told', body },
    ]);
    if (isOver)
      await noteOnTimeline(sql, [
        { tenantId, id: newId(), alertId, kind: 'delivery_suppressed', reason: 'unplannable', data: { told: kind, channels: [] } },
      ]);
  });
}
