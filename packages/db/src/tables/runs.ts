import { integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tocsinNow } from '../columns.ts';

/** Why there is a run: a slot of the schedule, somebody who asked, something that arrived. */
export type RunKind = 'scheduled' | 'manual' | 'arrival';

export type RunStatus = 'queued' | 'running' | 'done' | 'late' | 'skipped' | 'failed';

export const runs = pgTable(
  'runs',
  {
    tenantId: uuid('tenant_id').notNull(),
    slotAtMs: instant('slot_at').notNull(),
    id: uuid().notNull(),
    previousSlotAtMs: instant('previous_slot_at'),
    status: text().$type<RunStatus>().notNull(),
    reason: text(),
    skippedFromMs: instant('skipped_from'),
    skippedToMs: instant('skipped_to'),
    skippedCount: integer('skipped_count'),
    attempts: integer().notNull().default(0),
    leaseToken: uuid('lease_token'),
    leaseUntilMs: instant('lease_until'),
    hintedAtMs: instant('hinted_at').notNull().default(tocsinNow),
    hints: integer().notNull().default(0),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    startedAtMs: instant('started_at'),
    finishedAtMs: instant('finished_at'),
    rules: integer(),
    series: integer(),
    triggers: integer(),
    kind: text().$type<RunKind>().notNull().default('scheduled'),
    ruleIds: uuid('rule_ids').array(),
    coveredFromMs: instant('covered_from'),
    coveredCount: integer('covered_count'),
    scheduledSlotAtMs: instant('scheduled_slot_at'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.slotAtMs] })],
);

export type RunRow = typeof runs.$inferSelect;
