import { bigint, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { ActiveHours, Role } from '@tocsin/domain';
import { bytes, instant, tocsinNow } from '../columns.ts';

export const tenants = pgTable('tenants', {
  tenantId: uuid('tenant_id').primaryKey(),
  name: text().notNull(),
  externalKey: text('external_key').notNull(),
  createdAtMs: instant('created_at').notNull().default(tocsinNow),
});

export const apiKeys = pgTable(
  'api_keys',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    name: text().notNull(),
    role: text().$type<Role>().notNull(),
    secretHash: bytes('secret_hash').notNull(),
    lastFour: text('last_four').notNull(),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    lastUsedAtMs: instant('last_used_at'),
    revokedAtMs: instant('revoked_at'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export const schedules = pgTable('schedules', {
  tenantId: uuid('tenant_id').primaryKey(),
  everyMs: bigint('every_ms', { mode: 'number' }).notNull().default(60_000),
  slotEveryMs: bigint('slot_every_ms', { mode: 'number' }).notNull().default(60_000),
  phaseMs: bigint('phase_ms', { mode: 'number' }).notNull(),
  debounceMs: bigint('debounce_ms', { mode: 'number' }).notNull().default(0),
  timeZone: text('time_zone').notNull().default('UTC'),
  cron: text(),
  activeHours: jsonb('active_hours').$type<ActiveHours[]>().notNull().default([]),
  pausedUntilMs: instant('paused_until'),
  configuredAtMs: instant('configured_at'),
  lastSlotAtMs: instant('last_slot_at'),
  nextSlotAtMs: instant('next_slot_at'),
  failedRuns: integer('failed_runs').notNull().default(0),
  backedOffUntilMs: instant('backed_off_until'),
  updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
});

export type TenantRow = typeof tenants.$inferSelect;
export type ApiKeyRow = typeof apiKeys.$inferSelect;
export type ScheduleRow = typeof schedules.$inferSelect;
