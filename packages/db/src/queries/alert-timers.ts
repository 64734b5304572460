import type { AlertReading } from './alerts-of-run.ts';
import type { AlertSnapshot, AlertStatus, EpochMs, Severity } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

export interface DueReminder {
  id: string;
  alertId: string;
  ruleId: string;
  dueMs: EpochMs;
  nowMs: EpochMs;
  /** The alert as it is now. */
  status: AlertStatus;
  severity: Severity;
  reading: AlertReading;
  lastSlotMs: EpochMs;
  /** What was told of it last. */
  snapshot: AlertSnapshot | null;
  /** The rule's, as it stands: a duration. Null: no more. */
  remindEvery: string | null;
}

/** Locks those of the tenant's reminders that are due, their alerts with them; what others have in hand is left out. */
export async function lockDueReminders(sql: SqlTx, tenantId: string, ids: readonly string[]): Promise<DueReminder[]> {
  return sql<DueReminder[]>`
    select timers.id, timers.alert_id as "alertId", alerts.rule_id as "ruleId", timers.due_at as "dueMs", tocsin_now() as "nowMs",
           alerts.status, alerts.severity, alerts.reading, alerts.last_slot_at as "lastSlotMs", last.snapshot,
           case when rules.enabled then rules.spec ->> 'remindEvery' end as "remindEvery"
    from alert_timers timers
    join alerts on alerts.tenant_id = timers.tenant_id and alerts.id = timers.alert_id
    left join rules on rules.tenant_id = alerts.tenant_id and rules.id = alerts.rule_id
    left join lateral (
      select snapshot from triggers
      where triggers.tenant_id = alerts.tenant_id and triggers.alert_id = alerts.id
      order by triggers.seq desc limit 1
    ) last on true
    where timers.tenant_id = ${tenantId} and timers.id = any(${ids as string[]}::uuid[]) and timers.due_at <= tocsin_now()
    for no key update of timers, alerts skip locked`;
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
