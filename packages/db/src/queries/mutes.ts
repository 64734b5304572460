import { DRILL_PREFIX, type EpochMs, type Labels, type Matcher, type Recurrence, type Severity } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';
import { databaseTime } from './database-time.ts';

export interface ActiveSilence {
  tenantId: string;
  id: string;
  matchers: Matcher[];
  endsMs: EpochMs;
}

export interface StoredWindow {
  tenantId: string;
  id: string;
  matchers: Matcher[];
  timeZone: string;
  start: string;
  durationMs: number;
  recurrence: Recurrence;
}

export interface StoredList {
  tenantId: string;
  kind: 'routes' | 'inhibitions';
  entries: unknown[];
}

/** What says who hears of these tenants' alerts beside their rules, as of now. */
export interface StoredMutes {
  nowMs: EpochMs;
  silences: ActiveSilence[];
  /** All there are, whether one of their occurrences is on or not. */
  windows: StoredWindow[];
  lists: StoredList[];
}

/**
 * One statement each, however many tenants. With `keep`, nobody changes or ends what is answered before the transaction ends: who does so is then sure to
 * find what was put off because of it.
 */
export async function readMutes(sql: SqlTx, tenantIds: readonly string[], { keep }: { keep: boolean }): Promise<StoredMutes> {
  const tenants = tenantIds as string[];
  // always in this order, so that no two of these wait for each other
  const end = keep ? sql`for share` : sql``;
  const [nowMs, silences, windows, lists] = await Promise.all([
    databaseTime(sql),
    sql<ActiveSilence[]>`
      select tenant_id as "tenantId", id, matchers, ends_at as "endsMs" from silences
      where tenant_id = any(${tenants}::uuid[]) and starts_at <= tocsin_now() and ends_at > tocsin_now()
      order by tenant_id, id ${end}`,
    sql<StoredWindow[]>`
      select tenant_id as "tenantId", id, matchers, time_zone as "timeZone", start, duration_ms as "durationMs", recurrence from maintenance_windows
      where tenant_id = any(${tenants}::uuid[])
      order by tenant_id, id ${end}`,
    sql<StoredList[]>`
      select tenant_id as "tenantId", kind, entries from notification_lists
      where tenant_id = any(${tenants}::uuid[]) and entries <> '[]'
      order by tenant_id, kind ${end}`,
  ]);
  return { nowMs, silences, windows, lists };
}

/** An alert as matchers see it. */
export interface OpenAlertLabels {
  tenantId: string;
  id: string;
  labels: Labels;
  ruleKey: string;
  severity: Severity;
  alertType: string;
}

/** Of a tenant, and the values that labels must have; a label that is not named may have any. */
export interface LabelsWanted {
  tenantId: string;
  values: Record<string, string[]>;
}

/** The open alerts that one of the wishes fits; none of a fire drill, which mutes nothing and is in no list. */
export async function openAlertsLike(sql: SqlTx, wanted: readonly LabelsWanted[]): Promise<OpenAlertLabels[]> {
  if (wanted.length === 0) return [];
  return sql<OpenAlertLabels[]>`
    select a.tenant_id as "tenantId", a.id, a.labels, a.rule_key as "ruleKey", a.severity, a.type_name as "alertType"
    from alerts a
    where a.tenant_id = any(${wanted.map(({ tenantId }) => tenantId)}::uuid[]) and a.resolved_at is null
      and a.rule_key not like ${`${DRILL_PREFIX}%`} and exists (
      select from unnest(${wanted.map(({ tenantId }) => tenantId)}::uuid[], ${wanted.map(({ values }) => JSON.stringify(values))}::text[])
        as wanted (tenant_id, labels)
      where wanted.tenant_id = a.tenant_id and not exists (
        select from jsonb_each(wanted.labels::jsonb) as label (name, allowed)
        where not label.allowed ? coalesce(
          case label.name when 'rule' then a.rule_key when 'severity' then a.severity when 'alertType' then a.type_name else a.labels ->> label.name end, ''
        )
      )
    )
    order by a.id`;
}

/** Locks those of the tenants' active silences that end when the last of their alerts does. Before anything else is planned by them. */
export async function lockSilencesUntilResolved(sql: SqlTx, tenantIds: readonly string[]): Promise<ActiveSilence[]> {
  return sql<ActiveSilence[]>`
    select tenant_id as "tenantId", id, matchers, ends_at as "endsMs" from silences
    where tenant_id = any(${tenantIds as string[]}::uuid[]) and on_resolve and starts_at <= tocsin_now() and ends_at > tocsin_now()
    order by tenant_id, id for no key update`;
}

/** Ends silences under lock, because what they muted is over. */
export async function endSilencesResolved(sql: SqlTx, ended: readonly Pick<ActiveSilence, 'tenantId' | 'id'>[]): Promise<void> {
  await sql`
    update silences s
    set ends_at = tocsin_now(), end_reason = 'resolved', version = version + 1, updated_at = tocsin_now(), updated_by = 'dispatcher'
    from unnest(${ended.map((each) => each.tenantId)}::uuid[], ${ended.map((each) => each.id)}::uuid[]) as ended (tenant_id, id)
    where s.tenant_id = ended.tenant_id and s.id = ended.id`;
}
