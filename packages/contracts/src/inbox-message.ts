import { z } from 'zod';
import { Id, Time } from './primitives.ts';
import { PageQuery } from './page.ts';

export const ListInbox = z.strictObject({ ...PageQuery, unread: z.enum(['true', 'false']).optional() });

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
