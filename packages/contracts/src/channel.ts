import { z } from 'zod';
import { Id, Key, line, sought, Time } from './primitives.ts';
import { PageQuery } from './page.ts';
import { Digest, DigestBelow, QuietHours } from './told-when.ts';

const Config = z.record(z.string(), z.json());

export const CreateChannel = z.strictObject({
  key: Key,
  name: line(200),
  kind: z.string().max(40),
  config: Config.default({}),
  enabled: z.boolean().default(true),
  /** Key of the channel that hears what this one cannot be told; null or absent: the tenant's, if it has one. */
  fallback: Key.nullable().default(null),
  /** More messages in a minute are told together; null: as its kind has it. */
  maxPerMinute: z.int().min(1).max(10_000).nullable().default(null),
  /** False: each alert is told by itself, for receivers that want every one. */
  grouping: z.boolean().default(true),
  /** Null: there are none. */
  quietHours: QuietHours.nullable().default(null),
  /** Null: everything is told at once. */
  digest: Digest.nullable().default(null),
  /** Null or absent, with a digest: `critical`. */
  digestBelow: DigestBelow.nullable().default(null),
});

/** What is left out stays; `key` and `kind` are for ever. A secret that comes back as its mask, or not at all, stays as stored; other fields of `config` are replaced. */
export const UpdateChannel = z.strictObject({
  name: line(200).optional(),
  config: Config.optional(),
  enabled: z.boolean().optional(),
  fallback: Key.nullable().optional(),
  maxPerMinute: z.int().min(1).max(10_000).nullable().optional(),
  grouping: z.boolean().optional(),
  quietHours: QuietHours.nullable().optional(),
  /** Null: everything is told at once, and `digestBelow` is null with it. */
  digest: Digest.nullable().optional(),
  digestBelow: DigestBelow.nullable().optional(),
});

/** Whether messages arrive. `failing`: so many attempts in a row did not that people have been told; `troubled`: the last one did not. */
export const ChannelHealth = z.strictObject({
  state: z.enum(['unused', 'working', 'troubled', 'failing', 'off']),
  /** Of the first attempt of those in a row that failed. */
  failingSince: Time.nullable(),
  consecutiveFailures: z.int(),
  lastDeliveredAt: Time.nullable(),
  lastError: z.string().nullable(),
  lastErrorText: z.string().nullable(),
});
export type ChannelHealth = z.infer<typeof ChannelHealth>;

/** `overlap` is a duration from 0 to `7d`; for so long messages are signed with the secrets before, too. */
export const RotateSecret = z.strictObject({
  /** Absent: one is made. */
  secret: z.string().max(200).optional(),
  overlap: z.string().max(40).default('24h'),
});

export const NotificationSettings = z.strictObject({
  /** Key of the channel that hears what those without a fallback of their own cannot be told; null: any that works, once an hour. */
  fallback: Key.nullable(),
});
export type NotificationSettings = z.infer<typeof NotificationSettings>;

export const Channel = z.strictObject({
  id: Id,
  key: Key,
  name: z.string(),
  kind: z.string(),
  /** Secret fields are masked; only the answer to a channel's creation shows a secret that was made for it. */
  config: Config,
  enabled: z.boolean(),
  /** Why it was switched off by itself, as `http_410`; null: it was not. */
  disabledReason: z.string().nullable(),
  lastUsedAt: Time.nullable(),
  lastError: z.string().nullable(),
  health: ChannelHealth,
  fallback: z.string().nullable(),
  /** More messages in a minute are told together; null: as its kind has it. */
  maxPerMinute: z.int().nullable(),
  grouping: z.boolean(),
  quietHours: QuietHours.nullable(),
  digest: Digest.nullable(),
  /** What is milder is collected for the digest; null: there is none. */
  digestBelow: DigestBelow.nullable(),
  /** Until then messages are signed with the secrets before the newest, too; null: none was exchanged lately. */
  formerSecretsUntil: Time.nullable(),
  version: z.int(),
  createdAt: Time,
  createdBy: z.string(),
  updatedAt: Time,
  updatedBy: z.string(),
});
export type Channel = z.infer<typeof Channel>;

/** A kind of channel. `config` is the JSON Schema of its configuration, with `secret` and `outbound` marks. */
export const ChannelKind = z.strictObject({ kind: z.string(), label: z.string(), config: z.record(z.string(), z.unknown()) });
export type ChannelKind = z.infer<typeof ChannelKind>;

export const ListChannels = z.strictObject({ ...PageQuery, kind: sought(40).optional() });

export const DeleteChannel = z.strictObject({ force: z.enum(['true', 'false']).default('false') });

/** How the test message ended; the same words as a delivery's attempt. */
export const ChannelTest = z.strictObject({
  deliveryId: Id,
  outcome: z.enum(['delivered', 'retry', 'rejected', 'suppressed']),
  statusCode: z.int().nullable(),
  reason: z.string().nullable(),
  durationMs: z.number().nonnegative(),
  responseExcerpt: z.string().nullable(),
});
export type ChannelTest = z.infer<typeof ChannelTest>;
