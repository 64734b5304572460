import { DELIVERY_STATUSES, LATER_REASONS } from '@tocsin/domain';
import { z } from 'zod';
import { Id, Key, sought, Time, TimeInput } from './primitives.ts';
import { ExportQuery, PageQuery } from './page.ts';

export const ListDeliveries = z.strictObject({
  ...PageQuery,
  ...ExportQuery,
  status: z.enum(DELIVERY_STATUSES).optional(),
  channelId: Id.optional(),
  channelKey: Key.optional(),
  /** Another word for `channelKey`. */
  channel: Key.optional(),
  channelKind: sought(40).optional(),
  alertId: Id.optional(),
  ruleId: Id.optional(),
  /** Of a rule that may be deleted by now. */
  rule: sought(100).optional(),
  reason: sought(100).optional(),
  from: TimeInput.optional(),
  /** Exclusive. */
  to: TimeInput.optional(),
});

/** Which dead deliveries go again: those named, or all that were made in a time, of one channel, with one reason. */
export const ReplayDeliveries = z
  .strictObject({
    ids: z.array(Id).min(1).max(500).optional(),
    channel: Key.optional(),
    from: TimeInput.optional(),
    /** Exclusive. */
    to: TimeInput.optional(),
    reason: sought(100).optional(),
    /** Says what would go again, and sends nothing. */
    dryRun: z.boolean().default(false),
  })
  .superRefine(({ ids, channel, from, to, reason }, check) => {
    const isSet = [channel, from, to, reason].some((each) => each !== undefined);
    if (ids !== undefined && isSet) check.addIssue({ code: 'custom', message: 'goes alone: the ids name them all', path: ['ids'] });
    if (ids === undefined && from === undefined) check.addIssue({ code: 'custom', message: 'is missing', path: ['from'] });
    if (ids === undefined && to === undefined) check.addIssue({ code: 'custom', message: 'is missing', path: ['to'] });
    if (from !== undefined && to !== undefined && from >= to)
      check.addIssue({ code: 'custom', message: 'must be after `from`', path: ['to'] });
  });

export const DeliveriesReplayed = z.strictObject({
  dryRun: z.boolean(),
  /** Dead deliveries that were looked at. */
  matched: z.int(),
  /** Sent again, each with its first id and body. */
  replayed: z.int(),
  /** Ends that follow them: their alerts are over. */
  ends: z.int(),
  refused: z.array(
    z.strictObject({
      id: Id,
      reason: z.enum(['not_found', 'not_dead', 'channel_missing', 'channel_disabled', 'test']),
      reasonText: z.string(),
    }),
  ),
  /** There are more than one call takes: ask again. */
  more: z.boolean(),
});
export type DeliveriesReplayed = z.infer<typeof DeliveriesReplayed>;

export const Delivery = z.strictObject({
  id: Id,
  /** Null: a test message. */
  triggerId: Id.nullable(),
  alertId: Id.nullable(),
  /** `id` is null once the channel is deleted. */
  channel: z.strictObject({ id: Id.nullable(), key: z.string(), kind: z.string() }),
  /** What is told: fired, escalated, reminded, resolved, no_data, unsilenced, acknowledged, unacknowledged, undelivered, channel_failing or test. */
  kind: z.string(),
  status: z.enum(DELIVERY_STATUSES),
  /** Why it waits, or ended as it did. */
  reason: z.string().nullable(),
  reasonText: z.string().nullable(),
  /** Of a muted one: the id of the silence, maintenance window or inhibiting alert, or of the alert that is silenced alone; else null. */
  suppressedBy: Id.nullable(),
  attempts: z.int(),
  /** Null once nothing more will be tried. */
  nextAttemptAt: Time.nullable(),
  expiresAt: Time,
  /** Null: a test, or told instead of another. */
  triggeredAt: Time.nullable(),
  createdAt: Time,
  finishedAt: Time.nullable(),
  /** From the trigger, or else from when it was made, to when it arrived; null: it has not. */
  deliveredAfterMs: z.int().nullable(),
  /** The delivery whose channel was not reached, for which this one stands. */
  insteadOf: Id.nullable(),
  /** The delivery that tells this one too. */
  foldedInto: Id.nullable(),
  /** What it waited for, or waits; null: for neither quiet hours nor a digest. */
  heldFor: z.enum(LATER_REASONS).nullable(),
  heldUntil: Time.nullable(),
});
export type Delivery = z.infer<typeof Delivery>;

export const DeliveryAttempt = z.strictObject({
  number: z.int(),
  startedAt: Time,
  /** Null, as `outcome`: not known; the sender died in between. */
  finishedAt: Time.nullable(),
  /** From the start to the answer. */
  latencyMs: z.int().nullable(),
  outcome: z.enum(['delivered', 'retry', 'rejected', 'suppressed']).nullable(),
  statusCode: z.int().nullable(),
  reason: z.string().nullable(),
  reasonText: z.string().nullable(),
  retryAfterMs: z.int().nullable(),
  /** Without secrets, 1,024 characters at most. */
  responseExcerpt: z.string().nullable(),
  /** When it was to be tried again; null: it was not. */
  nextAttemptAt: Time.nullable(),
});
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>;

/** `body` is the text as sent, frozen by the first attempt; null before it. */
export const DeliveryDetail = z.strictObject({
  ...Delivery.shape,
  body: z.string().nullable(),
  attemptLog: z.array(DeliveryAttempt),
});
export type DeliveryDetail = z.infer<typeof DeliveryDetail>;
