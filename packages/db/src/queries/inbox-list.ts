import { and, desc, eq, getTableColumns, gt, inArray, isNotNull, isNull, lt, lte, ne } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { inbox, type InboxRow } from '../tables/channels.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';

export interface InboxFilter {
  /** Messages older than the one of this id; null: from the newest. */
  beforeId: string | null;
  limit: number;
  /** Null: read ones and unread ones. */
  unread: boolean | null;
}

const { tenantId: _tenantId, ...SHOWN } = getTableColumns(inbox);

/** Newest first. */
export async function selectInbox(
  tx: DrizzleTx,
  tenantId: string,
  { beforeId, limit, unread }: InboxFilter,
): Promise<Omit<InboxRow, 'tenantId'>[]> {
  const conditions = [
    eq(inbox.tenantId, tenantId),
    beforeId === null ? undefined : lt(inbox.id, beforeId),
    unread === null ? undefined : unread ? isNull(inbox.readAtMs) : isNotNull(inbox.readAtMs),
  ];
  return tx
    .select(SHOWN)
    .from(inbox)
    .where(and(...conditions))
    .orderBy(desc(inbox.id))
    .limit(limit);
}

/** How many messages nobody has read, of at most `atMost`. */
export async function countUnread(tx: DrizzleTx, tenantId: string, atMost: number): Promise<number> {
  const rows = await tx
    .select({ id: inbox.id })
    .from(inbox)
    .where(and(eq(inbox.tenantId, tenantId), isNull(inbox.readAtMs)))
    .limit(atMost);
  return rows.length;
}

/** Marks these messages, or all up to one of them; what is so already stays. Answers how many changed. */
export async function markInbox(
  tx: DrizzleTx,
  tenantId: string,
  which: { ids: readonly string[] } | { upToId: string },
  isRead: boolean,
): Promise<number> {
  const changed = await tx
    .update(inbox)
    .set({ readAtMs: isRead ? tocsinNow : null })
    .where(
      and(
        eq(inbox.tenantId, tenantId),
        'ids' in which ? inArray(inbox.id, [...which.ids]) : lte(inbox.id, which.upToId),
        isRead ? isNull(inbox.readAtMs) : isNotNull(inbox.readAtMs),
      ),
    )
    .returning({ id: inbox.id });
  return changed.length;
}

/** What came to these tenants' inboxes lately, oldest first: of each the newest so many. Messages are not committed in the order of their ids. */
export async function recentInbox(sql: SqlTx, tenantIds: readonly string[], withinMs: number, perTenant: number): Promise<InboxRow[]> {
  return sql<InboxRow[]>`
    select recent.* from unnest(${tenantIds as string[]}::uuid[]) as wanted (tenant_id)
    cross join lateral (
      select tenant_id as "tenantId", id, delivery_id as "deliveryId", alert_id as "alertId", title, body, created_at as "createdAtMs",
             read_at as "readAtMs"
      from inbox
      where inbox.tenant_id = wanted.tenant_id and created_at > tocsin_now() - make_interval(secs => ${withinMs}::float8 / 1000)
      order by created_at desc, id desc limit ${perTenant}
    ) recent
    order by recent."createdAtMs", recent.id`;
}

/** What came after a message, and shortly before it, oldest first. Nothing, where it is not there any more. */
export async function inboxSince(
  tx: DrizzleTx,
  tenantId: string,
  heardId: string,
  { marginMs, limit }: { marginMs: number; limit: number },
): Promise<Omit<InboxRow, 'tenantId'>[]> {
  const [heard] = await tx
    .select({ createdAtMs: inbox.createdAtMs })
    .from(inbox)
    .where(and(eq(inbox.tenantId, tenantId), eq(inbox.id, heardId)));
  if (heard === undefined) return [];
  return tx
    .select(SHOWN)
    .from(inbox)
    .where(and(eq(inbox.tenantId, tenantId), ne(inbox.id, heardId), gt(inbox.createdAtMs, heard.createdAtMs - marginMs)))
    .orderBy(inbox.createdAtMs, inbox.id)
    .limit(limit);
}
