import { and, asc, desc, eq, inArray, lt, sql } from 'drizzle-orm';
import { alertEvents, type AlertRow, alerts } from '../tables/alerts.ts';
import { incidentAlerts, type IncidentRow, incidents } from '../tables/incidents.ts';
import type { DrizzleTx } from '../with-tenants.ts';
import type { AlertTimelineRow } from './alerts.ts';

export interface IncidentFilter {
  /** Incidents older than the one of this id; null: from the newest. */
  beforeId: string | null;
  limit: number;
  /** Whether one of its alerts is open; null: either. */
  isOpen: boolean | null;
}

const open = sql`exists (
  select from incident_alerts l join alerts a on a.tenant_id = l.tenant_id and a.id = l.alert_id
  where l.tenant_id = ${incidents.tenantId} and l.incident_id = ${incidents.id} and a.resolved_at is null
)`;

/** Newest first. */
export async function selectIncidents(
  tx: DrizzleTx,
  tenantId: string,
  { beforeId, limit, isOpen }: IncidentFilter,
): Promise<IncidentRow[]> {
  return tx
    .select()
    .from(incidents)
    .where(
      and(
        eq(incidents.tenantId, tenantId),
        beforeId === null ? undefined : lt(incidents.id, beforeId),
        isOpen === null ? undefined : isOpen ? open : sql`not ${open}`,
      ),
    )
    .orderBy(desc(incidents.id))
    .limit(limit);
}

export async function findIncident(tx: DrizzleTx, tenantId: string, id: string): Promise<IncidentRow | null> {
  const [row] = await tx
    .select()
    .from(incidents)
    .where(and(eq(incidents.tenantId, tenantId), eq(incidents.id, id)));
  return row ?? null;
}

/** Those of these incidents that are not archived, in the order in which they opened. */
export async function selectAlertsOfIncidents(
  tx: DrizzleTx,
  tenantId: string,
  incidentIds: readonly string[],
): Promise<{ incidentId: string; alert: AlertRow }[]> {
  if (incidentIds.length === 0) return [];
  return tx
    .select({ incidentId: incidentAlerts.incidentId, alert: alerts })
    .from(incidentAlerts)
    .innerJoin(alerts, and(eq(alerts.tenantId, incidentAlerts.tenantId), eq(alerts.id, incidentAlerts.alertId)))
    .where(and(eq(incidentAlerts.tenantId, tenantId), inArray(incidentAlerts.incidentId, [...incidentIds])))
    .orderBy(asc(alerts.startedAtMs), asc(alerts.id));
}

/** What happened to an incident's alerts, oldest first, the newest `limit` entries. */
export async function selectIncidentTimeline(
  tx: DrizzleTx,
  tenantId: string,
  incidentId: string,
  limit: number,
): Promise<(AlertTimelineRow & { alertId: string })[]> {
  const { alertId, atMs, kind, reason, actor, data } = alertEvents;
  const rows = await tx
    .select({ alertId, atMs, kind, reason, actor, data })
    .from(alertEvents)
    .innerJoin(incidentAlerts, and(eq(incidentAlerts.tenantId, alertEvents.tenantId), eq(incidentAlerts.alertId, alertEvents.alertId)))
    .where(and(eq(alertEvents.tenantId, tenantId), eq(incidentAlerts.incidentId, incidentId)))
    .orderBy(desc(atMs), desc(alertEvents.id))
    .limit(limit);
  return rows.reverse();
}
