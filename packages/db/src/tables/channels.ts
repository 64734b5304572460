import { boolean, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Digest, QuietHours, Severity } from '@tocsin/domain';
import { bytes, instant, tocsinNow } from '../columns.ts';

export const channels = pgTable(
  'channels',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    key: text().notNull(),
    name: text().notNull(),
    kind: text().notNull(),
    config: jsonb().$type<Record<string, unknown>>().notNull(),
    secrets: bytes(),
    enabled: boolean().notNull().default(true),
    disabledReason: text('disabled_reason'),
    version: integer().notNull().default(1),
    lastUsedAtMs: instant('last_used_at'),
    lastError: text('last_error'),
    deadToldAtMs: instant('dead_told_at'),
    /** Attempts in a row that failed. */
    failures: integer().notNull().default(0),
    failingSinceMs: instant('failing_since'),
    /** Null: people have not been told that it keeps failing. */
    failingToldAtMs: instant('failing_told_at'),
    lastDeliveredAtMs: instant('last_delivered_at'),
    /** Key of the channel that hears what this one cannot be told. */
    fallback: text(),
    /** Null: as its kind has it. */
    maxPerMinute: integer('max_per_minute'),
    /** False: each alert is told by itself. */
    grouping: boolean().notNull().default(true),
    /** Null: there are none. */
    quietHours: jsonb('quiet_hours').$type<QuietHours>(),
    /** Null: nothing is collected. */
    digest: jsonb().$type<Digest>(),
    /** What is milder is collected for the digest. */
    digestBelow: text('digest_below').$type<Exclude<Severity, 'info'>>(),
    /** Until then messages are signed with the secrets before the newest too. */
    formerSecretsUntilMs: instant('former_secrets_until'),
    /** `config`: it came from the installation's file; null: people made it. */
    packKey: text('pack_key'),
    /** Of its entry in that file. */
    packDigest: text('pack_digest'),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    createdBy: text('created_by').notNull(),
    updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
    updatedBy: text('updated_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

/** Messages counted, so that those which come close together are told together. */
export const messageWindows = pgTable(
  'message_windows',
  {
    tenantId: uuid('tenant_id').notNull(),
    channelId: uuid('channel_id').notNull(),
    /** `rule:<id>`, or `channel`: all that goes there. */
    scope: text().notNull(),
    openedAtMs: instant('opened_at').notNull(),
    messages: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.channelId, t.scope] })],
);

/** What is true of all channels of a tenant that say nothing of their own. */
export const notificationSettings = pgTable('notification_settings', {
  tenantId: uuid('tenant_id').primaryKey(),
  fallback: text(),
  updatedAtMs: instant('updated_at').notNull().default(tocsinNow),
  updatedBy: text('updated_by').notNull(),
});

export const inbox = pgTable(
  'inbox',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    deliveryId: uuid('delivery_id').notNull(),
    alertId: uuid('alert_id'),
    title: text().notNull(),
    body: jsonb().$type<Record<string, unknown>>().notNull(),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    readAtMs: instant('read_at'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

/** What a channel calls its first message about an alert. */
export const channelThreads = pgTable(
  'channel_threads',
  {
    tenantId: uuid('tenant_id').notNull(),
    channelId: uuid('channel_id').notNull(),
    alertId: uuid('alert_id').notNull(),
    thread: text().notNull(),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.channelId, t.alertId] })],
);

export type ChannelRow = typeof channels.$inferSelect;
export type InboxRow = typeof inbox.$inferSelect;
export type NotificationSettingsRow = typeof notificationSettings.$inferSelect;
