import { and, desc, eq, isNotNull, isNull, lt } from 'drizzle-orm';
import { inbox, type InboxRow } from '../tables/channels.ts';
import type { DrizzleTx } from '../with-tenants.ts';

export interface InboxFilter {
  /** Messages older than the one of this id; null: from the newest. */
  beforeId: string | null;
  limit: number;
  /** Null: read ones and unread ones. */
  unread: boolean | null;
}

/** Newest first. */
export async function selectInbox(
  tx: DrizzleTx,
  tenantId: string,
  { beforeId, limit, unread }: InboxFilter,
): Promise<Omit<InboxRow, 'tenantId'>[]> {
  const { id, deliveryId, alertId, title, body, createdAtMs, readAtMs } = inbox;
  const conditions = [
    eq(inbox.tenantId, tenantId),
    beforeId === null ? undefined : lt(inbox.id, beforeId),
    unread === null ? undefined : unread ? isNull(inbox.readAtMs) : isNotNull(inbox.readAtMs),
  ];
  return tx
    .select({ id, deliveryId, alertId, title, body, createdAtMs, readAtMs })
    .from(inbox)
    .where(and(...conditions))
    .orderBy(desc(inbox.id))
    .limit(limit);
}
