import { DRILL_PREFIX, type EpochMs, type Labels, type Severity } from '@tocsin/domain';
import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import { newId } from '../new-id.ts';
import { alertEvents, type AlertRow, alerts } from '../tables/alerts.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';

interface SilencedBy {
  actor: string;
  data: Record<string, unknown>;
}

/** Silences alerts under lock, each alone, until then, or not any more (null), and writes that into their timelines. */
export async function setAlertSilences(
  tx: DrizzleTx,
  tenantId: string,
  ids: readonly string[],
  untilMs: EpochMs | null,
  { actor, data }: SilencedBy,
): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .update(alerts)
    .set({ silencedUntilMs: untilMs, version: sql`${alerts.version} + 1` })
    .where(and(eq(alerts.tenantId, tenantId), inArray(alerts.id, [...ids])));
  const entry = untilMs === null ? { kind: 'unsilenced', reason: 'ended' } : { kind: 'silenced', reason: null };
  await tx.insert(alertEvents).values(ids.map((alertId) => ({ tenantId, id: newId(), alertId, actor, data, ...entry })));
}

/** Ends the silences of alerts alone that have become worse, and writes that into their timelines. */
export async function endSilencesOfRisen(sql: SqlTx, risen: readonly { tenantId: string; alertId: string }[]): Promise<void> {
  await sql`
    with ended as (
      update alerts a set silenced_until = null
      from unnest(
        ${risen.map((each) => each.tenantId)}::uuid[], ${risen.map((each) => each.alertId)}::uuid[], ${risen.map(() => newId())}::uuid[]
      ) as risen (tenant_id, alert_id, event_id)
      where a.tenant_id = risen.tenant_id and a.id = risen.alert_id and a.silenced_until > tocsin_now()
      returning a.tenant_id, a.id, a.severity, risen.event_id
    )
    insert into alert_events (tenant_id, id, alert_id, kind, reason, data)
    select tenant_id, event_id, id, 'unsilenced', 'severity_rose', jsonb_build_object('severity', severity) from ended`;
}

/** What matchers would have muted of an alert at one of its severities. */
export interface MutableAlert {
  id: string;
  labels: Labels;
  ruleKey: string;
  alertType: string;
  /** As it was when it was told. */
  severity: Severity;
  /** Messages that were not suppressed since then. */
  notifications: number;
  toldMs: EpochMs;
}

/** What was told since an instant, alert by alert and severity by severity, but of fire drills; newest alerts first. `values` as in `LabelsWanted`, without a severity. */
export async function toldSince(
  sql: SqlTx,
  tenantId: string,
  { sinceMs, values, limit }: { sinceMs: EpochMs; values: Record<string, string[]>; limit: number },
): Promise<MutableAlert[]> {
  return sql<MutableAlert[]>`
    select a.id, a.labels, a.rule_key as "ruleKey", a.type_name as "alertType", t.severity, max(t.created_at) as "toldMs",
           count(d.id) filter (where d.status <> 'suppressed')::float8 as notifications
    from alerts a
    join triggers t on t.tenant_id = a.tenant_id and t.alert_id = a.id and t.kind <> 'resolved' and t.created_at >= to_timestamp(${sinceMs}::float8 / 1000)
    left join deliveries d on d.tenant_id = a.tenant_id and d.alert_id = a.id and d.trigger_id = t.id
    where a.tenant_id = ${tenantId} and a.rule_key not like ${`${DRILL_PREFIX}%`} and (a.resolved_at is null or a.resolved_at >= to_timestamp(${sinceMs}::float8 / 1000))
      and not exists (
        select from jsonb_each(${JSON.stringify(values)}::text::jsonb) as label (name, allowed)
        where not label.allowed ? coalesce(
          case label.name when 'rule' then a.rule_key when 'alertType' then a.type_name else a.labels ->> label.name end, ''
        )
      )
    group by a.id, a.labels, a.rule_key, a.type_name, t.severity
    order by a.id desc
    limit ${limit}`;
}

/** Newest first. */
export async function alertsById(tx: DrizzleTx, tenantId: string, ids: readonly string[]): Promise<AlertRow[]> {
  if (ids.length === 0) return [];
  return tx
    .select()
    .from(alerts)
    .where(and(eq(alerts.tenantId, tenantId), inArray(alerts.id, [...ids])))
    .orderBy(desc(alerts.id));
}
