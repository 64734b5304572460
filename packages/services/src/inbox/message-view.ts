import type { InboxMessage } from '@tocsin/contracts';
import type { InboxRow } from '@tocsin/db';
import { timeText, timeTextOrNull } from '../time-text.ts';

/** A message as its readers see it. */
export const messageView = ({ id, deliveryId, alertId, title, body, createdAtMs, readAtMs }: Omit<InboxRow, 'tenantId'>): InboxMessage => ({
  id,
  deliveryId,
  alertId,
  title,
  body: body as InboxMessage['body'],
  createdAt: timeText(createdAtMs),
  readAt: timeTextOrNull(readAtMs),
});
