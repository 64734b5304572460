import { bigint, boolean, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tocsinNow } from '../columns.ts';

export const metricDefinitions = pgTable(
  'metric_definitions',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    key: text().notNull(),
    name: text().notNull(),
    unit: text(),
    /** As some version of the program wrote it: `readSavedQuery` says whether this one understands it. */
    query: jsonb().$type<unknown>().notNull(),
    everyMs: bigint('every_ms', { mode: 'number' }).notNull(),
    evaluationDelayMs: bigint('evaluation_delay_ms', { mode: 'number' }).notNull(),
    enabled: boolean().notNull().default(true),
    version: integer().notNull().default(1),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
    updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
    updatedBy: text('updated_by').notNull(),
    nextDueAtMs: instant('next_due_at'),
    heldUntilMs: instant('held_until'),
    lastRunAtMs: instant('last_run_at'),
    lastSeries: integer('last_series').notNull().default(0),
    lastDropped: integer('last_dropped').notNull().default(0),
    failures: integer().notNull().default(0),
    lastError: text('last_error'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export type MetricDefinitionRow = typeof metricDefinitions.$inferSelect;
