import type { ActionEvent, EscalationPolicy, EscalationStep, Matcher } from '@tocsin/domain';
import { integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tocsinNow } from '../columns.ts';

export const escalationPolicies = pgTable(
  'escalation_policies',
  {
    tenantId: uuid('tenant_id').notNull(),
    key: text().notNull(),
    name: text().notNull(),
    /** Of those that match the lowest holds, then the first by key. */
    position: integer().notNull(),
    matchers: jsonb().$type<Matcher[]>().notNull(),
    steps: jsonb().$type<EscalationStep[]>().notNull(),
    repeat: jsonb().$type<EscalationPolicy['repeat']>(),
    version: integer().notNull().default(1),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
    updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
    updatedBy: text('updated_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.key] })],
);

export type EscalationPolicyRow = typeof escalationPolicies.$inferSelect;

export const runbookActions = pgTable(
  'runbook_actions',
  {
    tenantId: uuid('tenant_id').notNull(),
    key: text().notNull(),
    name: text().notNull(),
    matchers: jsonb().$type<Matcher[]>().notNull(),
    events: jsonb().$type<ActionEvent[]>().notNull(),
    /** Of the channel its calls go through. */
    channelId: uuid('channel_id').notNull(),
    version: integer().notNull().default(1),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
    updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
    updatedBy: text('updated_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.key] })],
);

export type RunbookActionRow = typeof runbookActions.$inferSelect;
