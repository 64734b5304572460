import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';
import type { ToldAlert } from './alert-snapshot.ts';

export interface DueReminder {
  id: string;
  ruleId: string;
  dueMs: EpochMs;
  nowMs: EpochMs;
  lastSlotMs: EpochMs;
  /** As it is now, under the rule's name of now. */
  alert: ToldAlert;
  /** The rule's, as it stands: a duration. Null: no more. */
  remindEvery: string | null;
}

interface LockedRow extends Omit<DueReminder, 'alert'>, Omit<ToldAlert, 'id' | 'resolvedMs'> {
  alertId: string;
}

/**
 * Locks those of the tenant's reminders that are due, their alerts with them; what others have in hand is left out, and so are timers of
 * other kinds, which a newer process may have set.
 */
export async function lockDueReminders(sql: SqlTx, tenantId: string, ids: readonly string[]): Promise<DueReminder[]> {
  const rows = await sql<LockedRow[]>`
    select timers.id, alerts.rule_id as "ruleId", timers.due_at as "dueMs", tocsin_now() as "nowMs", alerts.last_slot_at as "lastSlotMs",
           alerts.id as "alertId", coalesce(rules.name, alerts.rule_name) as "ruleName", alerts.labels, alerts.alert_type as "alertType",
           alerts.type_name as "typeName", alerts.category, alerts.acknowledged_by as "acknowledgedBy", alerts.status, alerts.severity, alerts.reading,
           alerts.started_at as "startedMs",
           case when rules.enabled then rules.spec ->> 'remindEvery' end as "remindEvery"
    from alert_timers timers
    join alerts on alerts.tenant_id = timers.tenant_id and alerts.id = timers.alert_id
    left join rules on rules.tenant_id = alerts.tenant_id and rules.id = alerts.rule_id
    where timers.tenant_id = ${tenantId} and timers.id = any(${ids as string[]}::uuid[]) and timers.kind = 'reminder'
      and timers.due_at <= tocsin_now()
    for no key update of timers, alerts skip locked`;
  return rows.map(({ id, ruleId, dueMs, nowMs, lastSlotMs, remindEvery, alertId, ...alert }) => ({
    id,
    ruleId,
    dueMs,
    nowMs,
    lastSlotMs,
    remindEvery,
    alert: { ...alert, id: alertId, resolvedMs: null },
  }));
}

/** Numbers the alert's next trigger. The alert must be under lock. */
export async function nextTriggerSeq(sql: SqlTx, tenantId: string, alertId: string): Promise<number> {
  const [row] = await sql<{ seq: number }[]>`
    update alerts set trigger_seq = trigger_seq + 1 where tenant_id = ${tenantId} and id = ${alertId} returning trigger_seq as seq`;
  if (row === undefined) throw new Error('an alert under lock is gone');
  return row.seq;
}

export async function moveTimer(sql: SqlTx, tenantId: string, timerId: string, dueMs: EpochMs): Promise<void> {
  await sql`update alert_timers set due_at = to_timestamp(${dueMs}::float8 / 1000) where tenant_id = ${tenantId} and id = ${timerId}`;
}

export async function dropTimer(sql: SqlTx, tenantId: string, timerId: string): Promise<void> {
  await sql`delete from alert_timers where tenant_id = ${tenantId} and id = ${timerId}`;
}
