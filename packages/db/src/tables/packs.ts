import { jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { RuleSpec } from '@tocsin/domain';
import { instant, tocsinNow } from '../columns.ts';

export const installedPacks = pgTable(
  'installed_packs',
  {
    tenantId: uuid('tenant_id').notNull(),
    key: text().notNull(),
    digest: text().notNull(),
    /** Chosen for all of its rules; null: each has its own. */
    notify: jsonb().$type<RuleSpec['notify']>(),
    /** Rules that do not come again by themselves, by key. */
    gone: jsonb().$type<Record<string, 'deleted' | 'retired'>>().notNull().default({}),
    installedAtMs: instant('installed_at').notNull().default(tocsinNow),
    installedBy: text('installed_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.key] })],
);

export type InstalledPackRow = typeof installedPacks.$inferSelect;
