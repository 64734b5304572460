import { DELIVERY_STATUSES } from '@tocsin/domain';
import { z } from 'zod';
import { Id, Key, Time } from './primitives.ts';
import { ExportQuery, PageQuery } from './page.ts';

export const ListDeliveries = z.strictObject({
  ...PageQuery,
  ...ExportQuery,
  status: z.enum(DELIVERY_STATUSES).optional(),
  channelId: Id.optional(),
  channelKey: Key.optional(),
  alertId: Id.optional(),
});

export const Delivery = z.strictObject({
  id: Id,
  /** Null: a test message. */
  triggerId: Id.nullable(),
  alertId: Id.nullable(),
  /** `id` is null once the channel is deleted. */
  channel: z.strictObject({ id: Id.nullable(), key: z.string(), kind: z.string() }),
  /** What is told: fired, escalated, reminded, resolved, no_data, unsilenced, acknowledged, unacknowledged, undelivered or test. */
  kind: z.string(),
  status: z.enum(DELIVERY_STATUSES),
  reason: z.string().nullable(),
  /** Of a muted one: the id of the silence, maintenance window or inhibiting alert, or of the alert that is silenced alone; else null. */
  suppressedBy: Id.nullable(),
  attempts: z.int(),
  /** Null once nothing more will be tried. */
  nextAttemptAt: Time.nullable(),
  expiresAt: Time,
  createdAt: Time,
  finishedAt: Time.nullable(),
});
export type Delivery = z.infer<typeof Delivery>;

export const DeliveryAttempt = z.strictObject({
  number: z.int(),
  startedAt: Time,
  /** Null, as `outcome`: not known; the sender died in between. */
  finishedAt: Time.nullable(),
  outcome: z.enum(['delivered', 'retry', 'rejected']).nullable(),
  statusCode: z.int().nullable(),
  reason: z.string().nullable(),
  retryAfterMs: z.int().nullable(),
  responseExcerpt: z.string().nullable(),
});
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>;

/** `body` is the text as sent, frozen by the first attempt; null before it. */
export const DeliveryDetail = z.strictObject({
  ...Delivery.shape,
  body: z.string().nullable(),
  attemptLog: z.array(DeliveryAttempt),
});
export type DeliveryDetail = z.infer<typeof DeliveryDetail>;
