import { insertLinks, lockIncidents, newId, noteOnTimeline, relatedAlerts, type PendingTrigger, type SqlTx } from '@tocsin/db';
import { linkIncidents } from '@tocsin/domain';

/** Puts alerts that open into incidents, with those that opened close to them and share labels. Whoever looks at one of them sees the others. */
export async function linkAlerts(sql: SqlTx, triggers: readonly PendingTrigger[]): Promise<void> {
  const opening = triggers.filter(({ kind, labels }) => (kind === 'fired' || kind === 'no_data') && Object.keys(labels).length > 0);
  const byTenant = Map.groupBy(opening, ({ tenantId }) => tenantId);
  // always in this order, so that no two of these wait for each other
  for (const [tenantId, ofTenant] of [...byTenant].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await lockIncidents(sql, tenantId);
    const ids = new Set(ofTenant.map(({ alertId }) => alertId));
    const related = await relatedAlerts(sql, tenantId, [...ids]);
    const linked = linkIncidents(
      related.alerts.filter(({ id }) => ids.has(id)),
      { ...related, newId },
    );
    if (linked.links.length === 0) continue;
    await insertLinks(sql, tenantId, linked);
    await noteOnTimeline(
      sql,
      linked.links.map(({ alertId, incidentId }) => ({
        tenantId,
        id: newId(),
        alertId,
        kind: 'incident_joined',
        reason: null,
        data: { incidentId },
      })),
    );
  }
}
