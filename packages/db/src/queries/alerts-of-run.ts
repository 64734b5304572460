import type { Aggregation, AlertStatus, AlertType, AlertTypeName, EpochMs, Labels, Operator, Origin, Severity } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** What an alert shows of its measurement: as it was when the alert was last written. */
export interface AlertReading {
  /** The rule's comparison that it is of, by its number. */
  comparison: number;
  metric: string;
  aggregation: Aggregation;
  operator: Operator;
  value: number | null;
  /** Null: not known. */
  threshold: number | null;
  unit: string | null;
  windowMs: number;
  samples: number;
  /** The worst value since this comparison leads, in the direction of the operator; null while there is no value. */
  peak: number | null;
  /** Where the threshold came from, or the value; absent in alerts of older versions. */
  origin?: Origin | null;
  /** Present: it changes so often that all of it is one alert. */
  isFlapping?: true;
  /** Present: so many more series breach than the rule may have alerts. */
  excess?: number;
}

export interface NewAlert {
  tenantId: string;
  id: string;
  ruleId: string;
  ruleKey: string;
  ruleName: string;
  seriesKey: string;
  labels: Labels;
  alertType: AlertType;
  typeName: AlertTypeName;
  /** Null: its rule came with no pack. */
  category: string | null;
  severity: Severity;
  reading: AlertReading;
  startedMs: EpochMs;
  /** The first slot of the breach: `for`, and a cooldown, lie between it and the start. */
  breachedMs: EpochMs;
}

/** Opens the alerts; each tells its first trigger, number 1. */
export async function openAlerts(sql: SqlTx, alerts: readonly NewAlert[]): Promise<void> {
  await sql`
    insert into alerts (
      tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, type_name, category, status, severity, reading,
      started_at, last_slot_at, breached_at, trigger_seq
    )
    select tenant_id, id, rule_id, rule_key, rule_name, series_key, labels::jsonb, alert_type, type_name, category, 'triggered', severity, reading::jsonb,
           to_timestamp(started / 1000), to_timestamp(started / 1000), to_timestamp(breached / 1000), 1
    from unnest(
      ${alerts.map((alert) => alert.tenantId)}::uuid[], ${alerts.map((alert) => alert.id)}::uuid[], ${alerts.map((alert) => alert.ruleId)}::uuid[],
      ${alerts.map((alert) => alert.ruleKey)}::text[], ${alerts.map((alert) => alert.ruleName)}::text[],
      ${alerts.map((alert) => alert.seriesKey)}::text[], ${alerts.map((alert) => JSON.stringify(alert.labels))}::text[],
      ${alerts.map((alert) => alert.alertType)}::text[], ${alerts.map((alert) => alert.severity)}::text[],
      ${alerts.map((alert) => JSON.stringify(alert.reading))}::text[], ${alerts.map((alert) => alert.startedMs)}::float8[],
      ${alerts.map((alert) => alert.breachedMs)}::float8[], ${alerts.map((alert) => alert.typeName)}::text[], ${alerts.map((alert) => alert.category)}::text[]
    ) as new (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, severity, reading, started, breached, type_name, category)`;
}

export interface AlertUpdate {
  tenantId: string;
  id: string;
  severity: Severity;
  typeName: AlertTypeName;
  reading: AlertReading;
  slotMs: EpochMs;
  /** Null: it stays open. */
  resolveReason: string | null;
  /** The next trigger of this alert is told. */
  tells: boolean;
}

/** An alert as it is once it was written. */
export interface UpdatedAlert {
  id: string;
  /** The number of the trigger that was told last. */
  seq: number;
  status: AlertStatus;
  acknowledgedBy: string | null;
}

/**
 * Carries open alerts on to this slot, or resolves them. Somebody's acknowledgement stays. Answers the number of the trigger each tells
 * and the status it has now; an alert that was resolved by somebody else meanwhile is left alone and not answered.
 */
export async function updateAlerts(sql: SqlTx, updates: readonly AlertUpdate[]): Promise<UpdatedAlert[]> {
  return sql<UpdatedAlert[]>`
    update alerts
    set status = case when new.resolve_reason is not null then 'resolved' when status = 'triggered' then 'active' else status end,
        severity = new.severity, type_name = new.type_name, reading = new.reading::jsonb, last_slot_at = to_timestamp(new.slot / 1000),
        resolved_at = case when new.resolve_reason is not null then to_timestamp(new.slot / 1000) end, resolve_reason = new.resolve_reason,
        trigger_seq = trigger_seq + new.tells::int, version = version + 1
    from unnest(
      ${updates.map((update) => update.tenantId)}::uuid[], ${updates.map((update) => update.id)}::uuid[],
      ${updates.map((update) => update.severity)}::text[], ${updates.map((update) => JSON.stringify(update.reading))}::text[],
      ${updates.map((update) => update.slotMs)}::float8[], ${updates.map((update) => update.resolveReason)}::text[],
      ${updates.map((update) => Number(update.tells))}::int[], ${updates.map((update) => update.typeName)}::text[]
    ) as new (tenant_id, id, severity, reading, slot, resolve_reason, tells, type_name)
    where alerts.tenant_id = new.tenant_id and alerts.id = new.id and alerts.resolved_at is null
    returning alerts.id, alerts.trigger_seq as seq, alerts.status, alerts.acknowledged_by as "acknowledgedBy"`;
}

export interface AlertEvent {
  tenantId: string;
  id: string;
  alertId: string;
  kind: string;
  reason: string | null;
  data: Record<string, unknown>;
}

/** The timeline, as written by the evaluator. */
export async function insertAlertEvents(sql: SqlTx, events: readonly AlertEvent[]): Promise<void> {
  await sql`
    insert into alert_events (tenant_id, id, alert_id, kind, reason, data)
    select tenant_id, id, alert_id, kind, reason, data::jsonb
    from unnest(
      ${events.map((event) => event.tenantId)}::uuid[], ${events.map((event) => event.id)}::uuid[], ${events.map((event) => event.alertId)}::uuid[],
      ${events.map((event) => event.kind)}::text[], ${events.map((event) => event.reason)}::text[],
      ${events.map((event) => JSON.stringify(event.data))}::text[]
    ) as new (tenant_id, id, alert_id, kind, reason, data)`;
}

export interface ReminderTimer {
  tenantId: string;
  id: string;
  alertId: string;
  dueMs: EpochMs;
}

/** One reminder timer an alert; a later firing moves it. */
export async function setReminders(sql: SqlTx, timers: readonly ReminderTimer[]): Promise<void> {
  await sql`
    insert into alert_timers (tenant_id, id, alert_id, kind, due_at)
    select tenant_id, id, alert_id, 'reminder', to_timestamp(due / 1000)
    from unnest(
      ${timers.map((timer) => timer.tenantId)}::uuid[], ${timers.map((timer) => timer.id)}::uuid[],
      ${timers.map((timer) => timer.alertId)}::uuid[], ${timers.map((timer) => timer.dueMs)}::float8[]
    ) as new (tenant_id, id, alert_id, due)
    on conflict (tenant_id, alert_id, kind) do update set due_at = excluded.due_at`;
}

export async function dropTimers(sql: SqlTx, alerts: readonly { tenantId: string; id: string }[]): Promise<void> {
  await sql`
    delete from alert_timers timers
    using unnest(${alerts.map((alert) => alert.tenantId)}::uuid[], ${alerts.map((alert) => alert.id)}::uuid[]) as over (tenant_id, alert_id)
    where timers.tenant_id = over.tenant_id and timers.alert_id = over.alert_id`;
}
