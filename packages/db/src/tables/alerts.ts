import { integer, jsonb, pgTable, pgView, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { AlertSnapshot, AlertStatus, AlertType, AlertTypeName, EpochMs, Labels, Severity, TriggerKind } from '@tocsin/domain';
import { instant, tocsinNow } from '../columns.ts';
import type { AlertReading } from '../queries/alerts-of-run.ts';
import { seriesDigest } from './series-digest.ts';

/** What is known of an alert, open or archived. */
const alertColumns = () => ({
  tenantId: uuid('tenant_id').notNull(),
  id: uuid().notNull(),
  ruleId: uuid('rule_id').notNull(),
  ruleKey: text('rule_key').notNull(),
  ruleName: text('rule_name').notNull(),
  seriesKey: text('series_key').notNull(),
  labels: jsonb().$type<Labels>().notNull(),
  /** What it is about; `typeName` is what people call its type. */
  alertType: text('alert_type').$type<AlertType>().notNull(),
  status: text().$type<AlertStatus>().notNull(),
  severity: text().$type<Severity>().notNull(),
  reading: jsonb().$type<AlertReading>().notNull(),
  startedAtMs: instant('started_at').notNull(),
  lastSlotAtMs: instant('last_slot_at').notNull(),
  resolvedAtMs: instant('resolved_at'),
  resolveReason: text('resolve_reason'),
  triggerSeq: integer('trigger_seq').notNull().default(0),
  version: integer().notNull().default(1),
  typeName: text('type_name').$type<AlertTypeName>().notNull().default('custom'),
  category: text(),
  breachedAtMs: instant('breached_at'),
  openedAtMs: instant('opened_at').default(tocsinNow),
  acknowledgedAtMs: instant('acknowledged_at'),
  acknowledgedBy: text('acknowledged_by'),
  resolvedBy: text('resolved_by'),
  resolutionNotes: text('resolution_notes'),
  assignee: text(),
  silencedUntilMs: instant('silenced_until'),
  noiseAtMs: instant('noise_at'),
  noiseBy: text('noise_by'),
  noiseNote: text('noise_note'),
});

export const alerts = pgTable('alerts', { ...alertColumns(), seriesDigest: seriesDigest() }, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
]);

/** An entry of the timeline, as the archive keeps it. */
export interface ArchivedEntry {
  at: EpochMs;
  kind: string;
  reason: string | null;
  actor: string;
  data: Record<string, unknown>;
}

/** A message, as the archive keeps it: which channel, what it told, and what became of it. */
export interface ArchivedDelivery {
  channel: string;
  kind: string;
  told: string;
  status: string;
  reason: string | null;
  attempts: number;
  at: EpochMs;
  finishedAt: EpochMs | null;
}

export const archivedAlerts = pgTable(
  'archived_alerts',
  {
    ...alertColumns(),
    resolvedAtMs: instant('resolved_at').notNull(),
    triggerSeq: integer('trigger_seq').notNull(),
    version: integer().notNull(),
    typeName: text('type_name').$type<AlertTypeName>().notNull(),
    openedAtMs: instant('opened_at'),
    timeline: jsonb().$type<ArchivedEntry[]>().notNull(),
    deliveries: jsonb().$type<ArchivedDelivery[]>().notNull(),
    archivedAtMs: instant('archived_at').notNull().default(tocsinNow),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

/** Both of them. */
export const allAlerts = pgView('all_alerts', alertColumns()).existing();

export const missedAlerts = pgTable(
  'missed_alerts',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    fromAtMs: instant('from_at').notNull(),
    toAtMs: instant('to_at').notNull(),
    labels: jsonb().$type<Labels>().notNull(),
    note: text(),
    ruleId: uuid('rule_id'),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
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
    /** Keys of those that hear of it; null: those of the rule and the routes. */
    channels: jsonb().$type<string[]>(),
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
    kind: text().$type<'reminder' | 'unsilence' | 'escalation'>().notNull(),
    /** Null: somebody wakes it. */
    dueAtMs: instant('due_at'),
    /** What it waits for to be over; null: its time alone. */
    waitsFor: uuid('waits_for'),
    /** Of an escalation: the key of its policy, the step that is told next, 0 for the first, and since when its time counts. */
    policy: text(),
    step: integer(),
    sinceMs: instant('since'),
    hintedAtMs: instant('hinted_at'),
    hints: integer().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export type AlertRow = Omit<typeof alerts.$inferSelect, 'seriesDigest'>;
export type MissedAlertRow = typeof missedAlerts.$inferSelect;
export type AlertEventRow = typeof alertEvents.$inferSelect;
export type TriggerRow = typeof triggers.$inferSelect;
