import type { AlertStatus, AlertType, AlertTypeName, EpochMs, Labels, SeriesState } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';
import type { AlertReading } from './alerts-of-run.ts';

export interface SeriesRow {
  tenantId: string;
  ruleId: string;
  seriesKey: string;
  labels: Labels;
  state: SeriesState;
  version: number;
  /** As the row says, which is coarser than the state in memory. */
  lastSeenMs: EpochMs;
  isOpen: boolean;
  /** Null unless open. */
  alert: OpenAlert | null;
}

/** The open alert of a series, as far as the evaluator has to know it. */
export interface OpenAlert {
  id: string;
  status: AlertStatus;
  alertType: AlertType;
  typeName: AlertTypeName;
  category: string | null;
  labels: Labels;
  startedMs: EpochMs;
  /** When it was last written. */
  lastSlotMs: EpochMs;
  reading: AlertReading;
  /** Null: nobody will be reminded. */
  reminderDueMs: EpochMs | null;
}

export interface RuleOfSeries {
  tenantId: string;
  id: string;
  /** Whether its alerts have reminders, which are not looked for otherwise. */
  reminds: boolean;
}

/** Every series known of these rules, with its open alert. */
export async function readSeriesStates(sql: SqlTx, rules: readonly RuleOfSeries[]): Promise<SeriesRow[]> {
  return sql<SeriesRow[]>`
    select series.tenant_id as "tenantId", series.rule_id as "ruleId", series.series_key as "seriesKey", series.labels, series.state, series.version,
           series.last_seen_at as "lastSeenMs", alerts.id is not null as "isOpen",
           case when alerts.id is not null then jsonb_build_object(
             'id', alerts.id, 'status', alerts.status, 'alertType', alerts.alert_type, 'typeName', alerts.type_name, 'category', alerts.category,
             'labels', alerts.labels, 'reading', alerts.reading,
             'startedMs', (extract(epoch from alerts.started_at) * 1000)::float8,
             'lastSlotMs', (extract(epoch from alerts.last_slot_at) * 1000)::float8,
             'reminderDueMs', case when wanted.reminds = 1 then (
               select (extract(epoch from timers.due_at) * 1000)::float8 from alert_timers timers
               where timers.tenant_id = alerts.tenant_id and timers.alert_id = alerts.id and timers.kind = 'reminder'
             ) end
           ) end as alert
    from unnest(
      ${rules.map((rule) => rule.tenantId)}::uuid[], ${rules.map((rule) => rule.id)}::uuid[], ${rules.map((rule) => Number(rule.reminds))}::int[]
    ) as wanted (tenant_id, rule_id, reminds)
    join series_states series on series.tenant_id = wanted.tenant_id and series.rule_id = wanted.rule_id
    left join alerts on alerts.tenant_id = series.tenant_id and alerts.id = series.alert_id`;
}

export interface SeriesRef {
  tenantId: string;
  ruleId: string;
  seriesKey: string;
  /** As read; 0: there was no row. */
  version: number;
}

/** Locks the rows and answers the rules of those that are not at the version they were read at any more, or are gone. */
export async function lockChangedSeries(sql: SqlTx, series: readonly SeriesRef[]): Promise<string[]> {
  const rows = await sql<{ ruleId: string }[]>`
    with read as materialized (
      select *, md5(series_key)::uuid as series_digest from unnest(
        ${series.map((each) => each.tenantId)}::uuid[], ${series.map((each) => each.ruleId)}::uuid[],
        ${series.map((each) => each.seriesKey)}::text[], ${series.map((each) => each.version)}::int[]
      ) as read (tenant_id, rule_id, series_key, version)
    ), locked as materialized (
      select states.tenant_id, states.rule_id, states.series_key, states.version
      from read join series_states states
        on states.tenant_id = read.tenant_id and states.rule_id = read.rule_id and states.series_digest = read.series_digest
      order by states.tenant_id, states.rule_id, states.series_key
      for update of states
    )
    select distinct read.rule_id as "ruleId"
    from read left join locked using (tenant_id, rule_id, series_key)
    where coalesce(locked.version, 0) <> read.version`;
  return rows.map((row) => row.ruleId);
}

export interface SeriesWrite extends SeriesRef {
  labels: Labels;
  state: SeriesState;
  alertId: string | null;
}

/** The rows must have been locked by `lockChangedSeries`. */
export async function writeSeriesStates(sql: SqlTx, writes: readonly SeriesWrite[]): Promise<void> {
  await sql`
    insert into series_states (tenant_id, rule_id, series_key, labels, state, phase, alert_id, last_seen_at)
    select tenant_id, rule_id, series_key, labels::jsonb, state::jsonb, phase, alert_id, to_timestamp(last_seen / 1000)
    from unnest(
      ${writes.map((each) => each.tenantId)}::uuid[], ${writes.map((each) => each.ruleId)}::uuid[], ${writes.map((each) => each.seriesKey)}::text[],
      ${writes.map((each) => JSON.stringify(each.labels))}::text[], ${writes.map((each) => JSON.stringify(each.state))}::text[],
      ${writes.map((each) => each.state.phase)}::text[], ${writes.map((each) => each.alertId)}::uuid[],
      ${writes.map((each) => each.state.lastSeenMs)}::float8[]
    ) as new (tenant_id, rule_id, series_key, labels, state, phase, alert_id, last_seen)
    on conflict (tenant_id, rule_id, series_digest) do update
      set state = excluded.state, phase = excluded.phase, alert_id = excluded.alert_id, last_seen_at = excluded.last_seen_at,
          version = series_states.version + 1`;
}

/** Forgets series that nobody has seen for long. */
export async function deleteSeriesStates(sql: SqlTx, series: readonly SeriesRef[]): Promise<void> {
  await sql`
    with gone as materialized (
      select tenant_id, rule_id, md5(series_key)::uuid as series_digest from unnest(
        ${series.map((each) => each.tenantId)}::uuid[], ${series.map((each) => each.ruleId)}::uuid[], ${series.map((each) => each.seriesKey)}::text[]
      ) as gone (tenant_id, rule_id, series_key)
    )
    delete from series_states states using gone
    where states.tenant_id = gone.tenant_id and states.rule_id = gone.rule_id and states.series_digest = gone.series_digest`;
}
