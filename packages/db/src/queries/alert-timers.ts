import type { EpochMs } from '@tocsin/domain';
import { and, eq, inArray } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { alertTimers } from '../tables/alerts.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';
import type { ToldAlert } from './alert-snapshot.ts';

/** What happens to an alert by time alone. */
export const TIMER_KINDS = ['reminder', 'unsilence', 'escalation'] as const;
export type TimerKind = (typeof TIMER_KINDS)[number];

export interface DueTimer {
  id: string;
  kind: TimerKind;
  ruleId: string;
  ruleKey: string;
  dueMs: EpochMs;
  nowMs: EpochMs;
  lastSlotMs: EpochMs;
  /** As it is now, under the rule's name of now. */
  alert: ToldAlert;
  /** Of the silence of this alert alone; null: it has none. */
  silencedUntilMs: EpochMs | null;
  /** The rule's, as it stands: a duration. Null: no more. */
  remindEvery: string | null;
}

interface LockedRow extends Omit<DueTimer, 'alert'>, Omit<ToldAlert, 'id' | 'resolvedMs'> {
  alertId: string;
}

/**
 * Locks those of the tenant's timers that are due, their alerts with them; what others have in hand is left out, and so are timers of
 * kinds that are not known here, which a newer process may have set.
 */
export async function lockDueTimers(sql: SqlTx, tenantId: string, ids: readonly string[]): Promise<DueTimer[]> {
  const rows = await sql<LockedRow[]>`
    select timers.id, timers.kind, alerts.rule_id as "ruleId", alerts.rule_key as "ruleKey", timers.due_at as "dueMs", tocsin_now() as "nowMs",
           alerts.last_slot_at as "lastSlotMs", alerts.id as "alertId", coalesce(rules.name, alerts.rule_name) as "ruleName", alerts.labels,
           alerts.alert_type as "alertType", alerts.type_name as "typeName", alerts.category,
           alerts.acknowledged_by as "acknowledgedBy", alerts.status, alerts.severity, alerts.reading, alerts.started_at as "startedMs",
           alerts.silenced_until as "silencedUntilMs", case when rules.enabled then rules.spec ->> 'remindEvery' end as "remindEvery"
    from alert_timers timers
    join alerts on alerts.tenant_id = timers.tenant_id and alerts.id = timers.alert_id
    left join rules on rules.tenant_id = alerts.tenant_id and rules.id = alerts.rule_id
    where timers.tenant_id = ${tenantId} and timers.id = any(${ids as string[]}::uuid[]) and timers.kind = any(${[...TIMER_KINDS]}::text[])
      and timers.due_at <= tocsin_now()
    for no key update of timers, alerts skip locked`;
  return rows.map(({ id, kind, ruleId, ruleKey, dueMs, nowMs, lastSlotMs, silencedUntilMs, remindEvery, alertId, ...alert }) => ({
    id,
    kind,
    ruleId,
    ruleKey,
    dueMs,
    nowMs,
    lastSlotMs,
    silencedUntilMs,
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

export interface MovedTimer {
  id: string;
  dueMs: EpochMs;
  /** Null: its time alone. */
  waitsFor: string | null;
}

/** Sets timers under lock anew. */
export async function moveTimers(sql: SqlTx, tenantId: string, moved: readonly MovedTimer[]): Promise<void> {
  await sql`
    update alert_timers timers set due_at = to_timestamp(moved.due / 1000), waits_for = moved.waits_for
    from unnest(
      ${moved.map((each) => each.id)}::uuid[], ${moved.map((each) => each.dueMs)}::float8[], ${moved.map((each) => each.waitsFor)}::uuid[]
    ) as moved (id, due, waits_for)
    where timers.tenant_id = ${tenantId} and timers.id = moved.id`;
}

export async function deleteTimers(sql: SqlTx, tenantId: string, ids: readonly string[]): Promise<void> {
  await sql`delete from alert_timers where tenant_id = ${tenantId} and id = any(${ids as string[]}::uuid[])`;
}

export interface UnsilenceTimer {
  tenantId: string;
  id: string;
  alertId: string;
  dueMs: EpochMs;
  /** The id of what mutes the alert. */
  waitsFor: string;
}

/** One an alert: when what mutes it now may be over. */
export async function setUnsilenceTimers(sql: SqlTx, timers: readonly UnsilenceTimer[]): Promise<void> {
  // of one alert, the last
  const last = [...new Map(timers.map((timer) => [timer.alertId, timer])).values()].sort((a, b) => (a.alertId < b.alertId ? -1 : 1));
  await sql`
    insert into alert_timers (tenant_id, id, alert_id, kind, due_at, waits_for)
    select tenant_id, id, alert_id, 'unsilence', to_timestamp(due / 1000), waits_for
    from unnest(
      ${last.map((timer) => timer.tenantId)}::uuid[], ${last.map((timer) => timer.id)}::uuid[], ${last.map((timer) => timer.alertId)}::uuid[],
      ${last.map((timer) => timer.dueMs)}::float8[], ${last.map((timer) => timer.waitsFor)}::uuid[]
    ) as new (tenant_id, id, alert_id, due, waits_for)
    on conflict (tenant_id, alert_id, kind) do update set due_at = excluded.due_at, waits_for = excluded.waits_for`;
}

/** Makes due at once what waits for these alerts to be over. */
export async function wakeInhibited(sql: SqlTx, alerts: readonly { tenantId: string; alertId: string }[]): Promise<void> {
  await sql`
    update alert_timers timers set due_at = tocsin_now()
    from unnest(${alerts.map((each) => each.tenantId)}::uuid[], ${alerts.map((each) => each.alertId)}::uuid[]) as over (tenant_id, alert_id)
    where timers.tenant_id = over.tenant_id and timers.waits_for = over.alert_id and timers.alert_id <> over.alert_id`;
}

/** Makes due at once what waits for one of these silences, windows or alerts: whatever mutes them still is found then. */
export async function wakeWaiting(tx: DrizzleTx, tenantId: string, waitsFor: readonly string[]): Promise<void> {
  if (waitsFor.length === 0) return;
  await tx
    .update(alertTimers)
    .set({ dueAtMs: tocsinNow })
    .where(and(eq(alertTimers.tenantId, tenantId), inArray(alertTimers.waitsFor, [...waitsFor])));
}

/** The same for whatever waits for another alert to be over: the list of inhibitions has changed. */
export async function wakeAllInhibited(tx: DrizzleTx, tenantId: string): Promise<void> {
  await tx
    .update(alertTimers)
    .set({ dueAtMs: tocsinNow })
    .where(and(eq(alertTimers.tenantId, tenantId), eq(alertTimers.kind, 'unsilence')));
}
