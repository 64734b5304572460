import { integer, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { instant } from '../columns.ts';

export const incidents = pgTable(
  'incidents',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    /** When the first of its alerts opened. */
    openedAtMs: instant('opened_at').notNull(),
    /** When the last did. */
    lastAtMs: instant('last_at').notNull(),
    /** How many have been linked. */
    alerts: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export const incidentAlerts = pgTable(
  'incident_alerts',
  { tenantId: uuid('tenant_id').notNull(), alertId: uuid('alert_id').notNull(), incidentId: uuid('incident_id').notNull() },
  (t) => [primaryKey({ columns: [t.tenantId, t.alertId] })],
);

export type IncidentRow = typeof incidents.$inferSelect;
