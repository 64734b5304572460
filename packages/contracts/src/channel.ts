import { z } from 'zod';
import { Id, Key, line, sought, Time } from './primitives.ts';
import { PageQuery } from './page.ts';

const Config = z.record(z.string(), z.json());

export const CreateChannel = z.strictObject({
  key: Key,
  name: line(200),
  kind: z.string().max(40),
  config: Config.default({}),
  enabled: z.boolean().default(true),
});

/** What is left out stays; `key` and `kind` are for ever. A secret that comes back as its mask, or not at all, stays as stored; other fields of `config` are replaced. */
export const UpdateChannel = z.strictObject({
  name: line(200).optional(),
  config: Config.optional(),
  enabled: z.boolean().optional(),
});

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
