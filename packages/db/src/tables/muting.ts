import { bigint, boolean, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Matcher, Recurrence } from '@tocsin/domain';
import { instant, tocsinNow } from '../columns.ts';

export const silences = pgTable(
  'silences',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    matchers: jsonb().$type<Matcher[]>().notNull(),
    comment: text().notNull(),
    startsAtMs: instant('starts_at').notNull(),
    endsAtMs: instant('ends_at').notNull(),
    onResolve: boolean('on_resolve').notNull().default(false),
    /** Null: it ends, or ended, at its time. */
    endReason: text('end_reason').$type<'ended' | 'resolved'>(),
    version: integer().notNull().default(1),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
    updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
    updatedBy: text('updated_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export const maintenanceWindows = pgTable(
  'maintenance_windows',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    name: text().notNull(),
    matchers: jsonb().$type<Matcher[]>().notNull(),
    timeZone: text('time_zone').notNull(),
    start: text().notNull(),
    durationMs: bigint('duration_ms', { mode: 'number' }).notNull(),
    recurrence: jsonb().$type<Recurrence>().notNull(),
    version: integer().notNull().default(1),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
    updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
    updatedBy: text('updated_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export const notificationLists = pgTable(
  'notification_lists',
  {
    tenantId: uuid('tenant_id').notNull(),
    kind: text().$type<'routes' | 'inhibitions'>().notNull(),
    entries: jsonb().$type<unknown[]>().notNull(),
    version: integer().notNull().default(1),
    updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
    updatedBy: text('updated_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.kind] })],
);

export type SilenceRow = typeof silences.$inferSelect;
export type MaintenanceWindowRow = typeof maintenanceWindows.$inferSelect;
export type NotificationListRow = typeof notificationLists.$inferSelect;
