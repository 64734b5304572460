import type { AlertSnapshot } from '@tocsin/domain';
import { sql } from 'drizzle-orm';
import { newId } from '../new-id.ts';
import type { DrizzleTx } from '../with-tenants.ts';
import { snapshotOf, type ToldAlert } from './alert-snapshot.ts';

/** Why people's doing ends a rule's alerts. */
export type CloseReason = 'rule_changed' | 'rule_mode_changed' | 'rule_disabled' | 'rule_deleted' | 'drill_over';

interface Row extends Omit<ToldAlert, 'resolvedMs'>, Record<string, unknown> {
  seq: number;
  nowMs: number;
}

/**
 * Ends a rule's open alerts because the rule is not what it was, and forgets its series, so that what it becomes starts afresh. Who was told
 * of an alert is told of its end: answers the ids of the triggers for that, to be hinted after the commit.
 * The rule's row must be locked or written before it in the same transaction; a run that is under way then drops what it found.
 */
export async function closeAlertsOfRule(tx: DrizzleTx, tenantId: string, ruleId: string, reason: CloseReason): Promise<string[]> {
  await tx.execute(sql`delete from series_states where tenant_id = ${tenantId}::uuid and rule_id = ${ruleId}::uuid`);
  const closed = await tx.execute<Row>(sql`
    update alerts
    set status = 'resolved', resolved_at = tocsin_now(), resolve_reason = ${reason}, trigger_seq = trigger_seq + 1, version = version + 1
    where tenant_id = ${tenantId}::uuid and rule_id = ${ruleId}::uuid and resolved_at is null
    returning id, rule_name as "ruleName", labels, alert_type as "alertType", status, severity, reading, trigger_seq as seq,
      (extract(epoch from started_at) * 1000)::float8 as "startedMs", (extract(epoch from tocsin_now()) * 1000)::float8 as "nowMs"`);
  if (closed.length === 0) return [];

  const rows = closed.map((alert) => {
    const snapshot: AlertSnapshot = snapshotOf({ ...alert, resolvedMs: alert.nowMs });
    return { alert_id: alert.id, event_id: newId(), trigger_id: newId(), seq: alert.seq, severity: alert.severity, snapshot };
  });
  const written = sql`jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
    as closed (alert_id uuid, event_id uuid, trigger_id uuid, seq int, severity text, snapshot jsonb)`;
  await tx.execute(sql`
    insert into alert_events (tenant_id, id, alert_id, kind, reason, actor)
    select ${tenantId}::uuid, event_id, alert_id, 'resolved', ${reason}::text, 'system' from ${written}`);
  await tx.execute(sql`
    insert into triggers (tenant_id, id, alert_id, rule_id, seq, kind, severity, slot_at, snapshot)
    select ${tenantId}::uuid, trigger_id, alert_id, ${ruleId}::uuid, seq, 'resolved', severity, tocsin_now(), snapshot from ${written}`);
  await tx.execute(sql`
    delete from alert_timers timers using ${written} where timers.tenant_id = ${tenantId}::uuid and timers.alert_id = closed.alert_id`);
  return rows.map((row) => row.trigger_id);
}
