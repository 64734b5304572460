import { bigint, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { bytes, instant, tocsinNow } from '../columns.ts';

export const hourVersions = pgTable(
  'hour_versions',
  {
    tenantId: uuid('tenant_id').notNull(),
    hourAtMs: instant('hour_at').notNull(),
    version: bigint({ mode: 'number' }).notNull().default(1),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.hourAtMs] })],
);

export const partialKeys = pgTable(
  'partial_keys',
  {
    tenantId: uuid('tenant_id').notNull(),
    key: text().notNull(),
    kind: text().$type<'partial' | 'history'>().notNull(),
    query: jsonb().notNull(),
    neededAtMs: instant('needed_at').notNull().default(tocsinNow),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.key] })],
);

export const partials = pgTable(
  'partials',
  {
    tenantId: uuid('tenant_id').notNull(),
    key: text().notNull(),
    hourAtMs: instant('hour_at').notNull(),
    version: bigint({ mode: 'number' }).notNull(),
    body: bytes().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.key, t.hourAtMs] })],
);
