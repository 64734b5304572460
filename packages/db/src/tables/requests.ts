import { integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { bytes, instant, tocsinNow } from '../columns.ts';

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    tenantId: uuid('tenant_id').notNull(),
    route: text().notNull(),
    key: text().notNull(),
    requestHash: bytes('request_hash').notNull(),
    status: integer(),
    response: jsonb(),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.route, t.key] })],
);

export const auditEvents = pgTable(
  'audit_events',
  {
    tenantId: uuid('tenant_id').notNull(),
    atMs: instant('at').notNull().default(tocsinNow),
    id: uuid().notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    subject: text().notNull(),
    data: jsonb().$type<Record<string, unknown>>().notNull().default({}),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.atMs, t.id] })],
);

export type AuditEventRow = typeof auditEvents.$inferSelect;
