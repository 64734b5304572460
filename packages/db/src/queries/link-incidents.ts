import type { LinkableAlert, LinkableIncident, Linked } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** Of a tenant with more, the newest so many are looked at. */
const RELATIVES_MAX = 200;

export interface RelatedAlerts {
  /** The alerts that open, and the open ones that may be related to them. */
  alerts: LinkableAlert[];
  incidents: LinkableIncident[];
}

/** Nobody else links this tenant's alerts until the transaction ends. */
export async function lockIncidents(sql: SqlTx, tenantId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`incidents ${tenantId}`}::text, 0))`;
}

/** What alerts that open may be linked with. The tenant's incidents must be under lock. */
export async function relatedAlerts(sql: SqlTx, tenantId: string, openingIds: readonly string[]): Promise<RelatedAlerts> {
  const alerts = await sql<LinkableAlert[]>`
    select a.id, a.labels, a.started_at as "openedMs", l.incident_id as "incidentId"
    from (
      (select * from alerts where tenant_id = ${tenantId} and resolved_at is null and labels <> '{}' order by id desc limit ${RELATIVES_MAX})
      union
      (select * from alerts where tenant_id = ${tenantId} and id = any(${openingIds as string[]}::uuid[]))
    ) a
    left join incident_alerts l on l.tenant_id = a.tenant_id and l.alert_id = a.id
    order by a.id`;
  const incidentIds = [...new Set(alerts.flatMap(({ incidentId }) => incidentId ?? []))];
  if (incidentIds.length === 0) return { alerts, incidents: [] };
  const incidents = await sql<LinkableIncident[]>`
    select id, last_at as "lastMs", alerts from incidents where tenant_id = ${tenantId} and id = any(${incidentIds}::uuid[]) order by id`;
  return { alerts, incidents };
}

/** Writes what has been linked. */
export async function insertLinks(sql: SqlTx, tenantId: string, { links, incidents }: Linked): Promise<void> {
  await sql`
    insert into incidents (tenant_id, id, opened_at, last_at, alerts)
    select ${tenantId}::uuid, id, to_timestamp(first / 1000), to_timestamp(last / 1000), alerts
    from unnest(
      ${incidents.map(({ id }) => id)}::uuid[], ${incidents.map(({ firstMs }) => firstMs)}::float8[],
      ${incidents.map(({ lastMs }) => lastMs)}::float8[], ${incidents.map(({ alerts }) => alerts)}::int[]
    ) as grown (id, first, last, alerts)
    on conflict (tenant_id, id) do update set last_at = excluded.last_at, alerts = excluded.alerts`;
  await sql`
    insert into incident_alerts (tenant_id, alert_id, incident_id)
    select ${tenantId}::uuid, alert_id, incident_id
    from unnest(${links.map(({ alertId }) => alertId)}::uuid[], ${links.map(({ incidentId }) => incidentId)}::uuid[]) as new (alert_id, incident_id)
    on conflict (tenant_id, alert_id) do nothing`;
}
