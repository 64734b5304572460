import { z } from 'zod';
import { Id, Time } from './primitives.ts';
import { PageQuery } from './page.ts';

export const ListInbox = z.strictObject({ ...PageQuery, unread: z.enum(['true', 'false']).optional() });

/** What is heard of an inbox is all that comes. */
export const WatchInbox = z.strictObject({});

/** Which messages are read, or not read after all: these, or all that came up to one and that one. */
export const MarkInbox = z
  .strictObject({
    ids: z.array(Id).min(1).max(500).optional(),
    upTo: Id.optional(),
  })
  .refine(({ ids, upTo }) => (ids === undefined) !== (upTo === undefined), { path: ['ids'], message: 'either `ids` or `upTo` is needed' });

/** How many are unread; at most 1,000 are counted. */
export const InboxCount = z.strictObject({ unread: z.int().min(0), isMore: z.boolean() });
export type InboxCount = z.infer<typeof InboxCount>;

export const InboxMessage = z.strictObject({
  id: Id,
  deliveryId: Id,
  alertId: Id.nullable(),
  title: z.string(),
  body: z.record(z.string(), z.json()),
  createdAt: Time,
  readAt: Time.nullable(),
});
export type InboxMessage = z.infer<typeof InboxMessage>;
