import { sql } from 'drizzle-orm';
import type { DrizzleTx } from '../with-tenants.ts';
import { CHANGED_ALERT, tellChanges, type ChangedAlert } from './tell-changes.ts';

/** Why people's doing ends a rule's alerts. */
export type CloseReason = 'rule_changed' | 'rule_mode_changed' | 'rule_disabled' | 'rule_deleted';

/**
 * Ends a rule's open alerts because the rule is not what it was, and forgets its series, so that what it becomes starts afresh. Who was told
 * of an alert is told of its end: answers the ids of the triggers for that, to be hinted after the commit.
 * The rule's row must be locked or written before it in the same transaction; a run that is under way then drops what it found.
 */
export async function closeAlertsOfRule(tx: DrizzleTx, tenantId: string, ruleId: string, reason: CloseReason): Promise<string[]> {
  await tx.execute(sql`delete from series_states where tenant_id = ${tenantId}::uuid and rule_id = ${ruleId}::uuid`);
  const closed = await tx.execute<ChangedAlert>(sql`
    update alerts
    set status = 'resolved', resolved_at = tocsin_now(), resolve_reason = ${reason}, trigger_seq = trigger_seq + 1, version = version + 1
    where tenant_id = ${tenantId}::uuid and rule_id = ${ruleId}::uuid and resolved_at is null
    returning ${CHANGED_ALERT}`);
  return tellChanges(tx, tenantId, 'resolved', [...closed], { reason, actor: 'system', data: {} });
}
