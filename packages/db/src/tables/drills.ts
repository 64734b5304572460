import { boolean, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Severity } from '@tocsin/domain';
import { instant, tocsinNow } from '../columns.ts';

/** A breach that is made up and takes the whole way to the channels named. */
export const drills = pgTable(
  'drills',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    channels: text().array().notNull(),
    severity: text().$type<Severity>().notNull(),
    isScheduled: boolean('is_scheduled').notNull(),
    status: text().$type<'running' | 'passed' | 'failed'>().notNull().default('running'),
    ruleId: uuid('rule_id').notNull(),
    runId: uuid('run_id'),
    startedAtMs: instant('started_at').notNull().default(tocsinNow),
    startedBy: text('started_by').notNull(),
    storedAtMs: instant('stored_at'),
    finishedAtMs: instant('finished_at'),
    report: jsonb().$type<DrillStages>(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

/** How far a drill has come. Times are epoch milliseconds; null: not yet. */
export interface DrillStages {
  evaluatedAtMs: number | null;
  triggeredAtMs: number | null;
  plannedAtMs: number | null;
  /** Why nobody hears of it; null: somebody does, or it is not known yet. */
  silent: string | null;
  alertId: string | null;
  channels: DrillChannel[];
}

export interface DrillChannel {
  channel: string;
  deliveryId: string | null;
  /** Of its delivery; null: not planned yet. */
  status: string | null;
  reason: string | null;
  attempts: number;
  firstAttemptAtMs: number | null;
  finishedAtMs: number | null;
}

/** When a tenant's drills take place by themselves. */
export const drillSchedules = pgTable('drill_schedules', {
  tenantId: uuid('tenant_id').primaryKey(),
  cron: text().notNull(),
  timeZone: text('time_zone').notNull(),
  channels: text().array().notNull(),
  severity: text().$type<Severity>().notNull(),
  nextAtMs: instant('next_at'),
  updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
  updatedBy: text('updated_by').notNull(),
});

export type DrillRow = typeof drills.$inferSelect;
export type DrillScheduleRow = typeof drillSchedules.$inferSelect;
