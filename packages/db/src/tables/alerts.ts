import { integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { AlertSnapshot, AlertStatus, AlertType, Labels, Severity, TriggerKind } from '@tocsin/domain';
import { instant, tocsinNow } from '../columns.ts';
import type { AlertReading } from '../queries/alerts-of-run.ts';
import { seriesDigest } from './series-digest.ts';

export const alerts = pgTable(
  'alerts',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    ruleId: uuid('rule_id').notNull(),
    ruleKey: text('rule_key').notNull(),
    ruleName: text('rule_name').notNull(),
    seriesKey: text('series_key').notNull(),
    seriesDigest: seriesDigest(),
    labels: jsonb().$type<Labels>().notNull(),
    alertType: text('alert_type').$type<AlertType>().notNull(),
    status: text().$type<AlertStatus>().notNull(),
    severity: text().$type<Severity>().notNull(),
    reading: jsonb().$type<AlertReading>().notNull(),
    startedAtMs: instant('started_at').notNull(),
    lastSlotAtMs: instant('last_slot_at').notNull(),
    resolvedAtMs: instant('resolved_at'),
    resolveReason: text('resolve_reason'),
    /** The silence of this alert alone; null, or past: it has none. */
    silencedUntilMs: instant('silenced_until'),
    triggerSeq: integer('trigger_seq').notNull().default(0),
    version: integer().notNull().default(1),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export const alertEvents = pgTable(
  'alert_events',
  {
    tenantId: uuid('tenant_id').notNull(),
    atMs: instant('at').notNull().default(tocsinNow),
    id: uuid().notNull(),
    alertId: uuid('alert_id').notNull(),
    kind: text().notNull(),
    reason: text(),
    actor: text().notNull().default('evaluator'),
    data: jsonb().$type<Record<string, unknown>>().notNull().default({}),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.atMs, t.id] })],
);

export const triggers = pgTable(
  'triggers',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    alertId: uuid('alert_id').notNull(),
    ruleId: uuid('rule_id').notNull(),
    seq: integer().notNull(),
    kind: text().$type<TriggerKind>().notNull(),
    severity: text().$type<Severity>().notNull(),
    slotAtMs: instant('slot_at').notNull(),
    snapshot: jsonb().$type<AlertSnapshot>().notNull(),
    status: text().$type<'pending' | 'planned' | 'suppressed'>().notNull().default('pending'),
    reason: text(),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    hintedAtMs: instant('hinted_at').notNull().default(tocsinNow),
    hints: integer().notNull().default(0),
    finishedAtMs: instant('finished_at'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export const alertTimers = pgTable(
  'alert_timers',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    alertId: uuid('alert_id').notNull(),
    kind: text().$type<'reminder' | 'unsilence'>().notNull(),
    dueAtMs: instant('due_at').notNull(),
    /** What it waits for to be over; null: its time alone. */
    waitsFor: uuid('waits_for'),
    hintedAtMs: instant('hinted_at'),
    hints: integer().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export type AlertRow = typeof alerts.$inferSelect;
export type AlertEventRow = typeof alertEvents.$inferSelect;
export type TriggerRow = typeof triggers.$inferSelect;
