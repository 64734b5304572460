import { bigint, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { DeliveryStatus, LaterReason, MessageKind } from '@tocsin/domain';
import { instant, tocsinNow } from '../columns.ts';

export const deliveries = pgTable(
  'deliveries',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid().notNull(),
    triggerId: uuid('trigger_id'),
    alertId: uuid('alert_id'),
    /** Stays when the channel is deleted. */
    channelId: uuid('channel_id'),
    channelKey: text('channel_key').notNull(),
    channelKind: text('channel_kind').notNull(),
    kind: text().$type<MessageKind>().notNull(),
    status: text().$type<DeliveryStatus>().notNull().default('pending'),
    reason: text(),
    /** What muted it; null: nothing did. */
    suppressedBy: uuid('suppressed_by'),
    body: text(),
    countedAttempts: integer('counted_attempts').notNull().default(0),
    attempts: integer().notNull().default(0),
    nextAttemptAtMs: instant('next_attempt_at').notNull().default(tocsinNow),
    expiresAtMs: instant('expires_at').notNull(),
    leaseToken: uuid('lease_token'),
    leaseUntilMs: instant('lease_until'),
    hintedAtMs: instant('hinted_at').notNull().default(tocsinNow),
    hints: integer().notNull().default(0),
    createdAtMs: instant('created_at').notNull().default(tocsinNow),
    finishedAtMs: instant('finished_at'),
    /** The delivery whose channel was not reached. */
    insteadOf: uuid('instead_of'),
    /** The delivery that tells this one too. */
    foldedInto: uuid('folded_into'),
    /** Whoever is due first of those with the same one at a channel tells of all of them. */
    foldKey: text('fold_key'),
    /** What it waits for, or waited; null: for neither quiet hours nor a digest. */
    heldFor: text('held_for').$type<LaterReason>(),
    heldUntilMs: instant('held_until'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
);

export const deliveryAttempts = pgTable(
  'delivery_attempts',
  {
    tenantId: uuid('tenant_id').notNull(),
    startedAtMs: instant('started_at').notNull().default(tocsinNow),
    id: uuid().notNull(),
    deliveryId: uuid('delivery_id').notNull(),
    number: integer().notNull(),
    finishedAtMs: instant('finished_at'),
    outcome: text().$type<'delivered' | 'retry' | 'rejected' | 'suppressed'>(),
    statusCode: integer('status_code'),
    reason: text(),
    retryAfterMs: bigint('retry_after_ms', { mode: 'number' }),
    responseExcerpt: text('response_excerpt'),
    nextAttemptAtMs: instant('next_attempt_at'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.startedAtMs, t.id] })],
);

export type DeliveryRow = typeof deliveries.$inferSelect;
