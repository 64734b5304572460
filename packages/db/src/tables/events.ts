import { sql } from 'drizzle-orm';
import { customType, doublePrecision, integer, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core';
import { bytes, instant, tocsinNow } from '../columns.ts';
import type { SegmentLevel, SegmentStream } from '../queries/segments.ts';

const transactionId = customType<{ data: string }>({ dataType: () => 'xid8' });

export const segments = pgTable(
  'segments',
  {
    tenantId: uuid('tenant_id').notNull(),
    startsAtMs: instant('starts_at').notNull(),
    id: uuid().notNull(),
    endsAtMs: instant('ends_at').notNull(),
    stream: text().$type<SegmentStream>().notNull(),
    level: smallint().$type<SegmentLevel>().notNull(),
    eventCount: integer('event_count').notNull(),
    data: bytes().notNull(),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    writtenBy: transactionId('written_by')
      .notNull()
      .default(sql`pg_current_xact_id()`),
    replaces: uuid().array(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.startsAtMs, t.id] })],
);

export const eventNames = pgTable(
  'event_names',
  {
    tenantId: uuid('tenant_id').notNull(),
    name: text().notNull(),
    dims: text().array().notNull().default([]),
    measures: text().array().notNull().default([]),
    firstSeenAtMs: instant('first_seen_at').notNull().default(tocsinNow),
    lastSeenAtMs: instant('last_seen_at').notNull().default(tocsinNow),
    lag: doublePrecision().array(),
    lagAtMs: instant('lag_at'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.name] })],
);
