import { bigint, boolean, doublePrecision, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Health, Labels, Phase, RuleSpec, SeriesState } from '@tocsin/domain';
import { instant, tocsinNow } from '../columns.ts';
import { seriesDigest } from './series-digest.ts';

export const rules = pgTable(
  'rules',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    key: text().notNull(),
    name: text().notNull(),
    /** As some version of the program wrote it: `readStoredRule` says whether this one understands it. */
    spec: jsonb().$type<unknown>().notNull(),
    enabled: boolean().notNull().default(true),
    version: integer().notNull().default(1),
    health: text().$type<Health>().notNull().default('ok'),
    healthReason: text('health_reason'),
    lastTriggeredAtMs: instant('last_triggered_at'),
    triggerCount: bigint('trigger_count', { mode: 'number' }).notNull().default(0),
    failures: integer().notNull().default(0),
    quarantines: integer().notNull().default(0),
    quarantinedAtMs: instant('quarantined_at'),
    quarantinedUntilMs: instant('quarantined_until'),
    pausedAfterMs: instant('paused_after'),
    delayMs: integer('delay_ms'),
    /** The pack it came with; null: people made it. */
    packKey: text('pack_key'),
    /** Of its words as the pack had them; where it is another one now, people changed them. */
    packDigest: text('pack_digest'),
    /** The channels it was given with the pack. */
    packNotify: jsonb('pack_notify').$type<RuleSpec['notify']>(),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
    updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
    updatedBy: text('updated_by').notNull(),
    extraSlotAtMs: instant('extra_slot_at'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export const ruleVersions = pgTable(
  'rule_versions',
  {
    tenantId: uuid('tenant_id').notNull(),
    ruleId: uuid('rule_id').notNull(),
    version: integer().notNull(),
    spec: jsonb().$type<unknown>().notNull(),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.ruleId, t.version] })],
);

export const seriesStates = pgTable(
  'series_states',
  {
    tenantId: uuid('tenant_id').notNull(),
    ruleId: uuid('rule_id').notNull(),
    seriesKey: text('series_key').notNull(),
    seriesDigest: seriesDigest(),
    labels: jsonb().$type<Labels>().notNull(),
    state: jsonb().$type<SeriesState>().notNull(),
    phase: text().$type<Phase>().notNull(),
    alertId: uuid('alert_id'),
    lastSeenAtMs: instant('last_seen_at').notNull(),
    version: integer().notNull().default(1),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.ruleId, t.seriesDigest] })],
);

export const ruleCosts = pgTable(
  'rule_costs',
  {
    tenantId: uuid('tenant_id').notNull(),
    ruleId: uuid('rule_id').notNull(),
    ms: doublePrecision().notNull(),
    lastMs: doublePrecision('last_ms').notNull(),
    segments: doublePrecision().notNull(),
    events: doublePrecision().notNull(),
    series: doublePrecision().notNull(),
    measuredAtMs: instant('measured_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.ruleId] })],
);

export type RuleCostRow = typeof ruleCosts.$inferSelect;
export type RuleRow = typeof rules.$inferSelect;
export type RuleVersionRow = typeof ruleVersions.$inferSelect;
