import { and, eq, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type NotificationListRow, notificationLists } from '../tables/muting.ts';
import type { DrizzleTx } from '../with-tenants.ts';

export type NotificationListKind = NotificationListRow['kind'];

/** Null: nobody has written one. */
export async function findNotificationList(
  tx: DrizzleTx,
  tenantId: string,
  kind: NotificationListKind,
): Promise<NotificationListRow | null> {
  const [row] = await tx
    .select()
    .from(notificationLists)
    .where(and(eq(notificationLists.tenantId, tenantId), eq(notificationLists.kind, kind)));
  return row ?? null;
}

/** The same, and keeps everybody else from changing it, and from planning by it, until the transaction ends. */
export async function lockNotificationList(
  tx: DrizzleTx,
  tenantId: string,
  kind: NotificationListKind,
): Promise<NotificationListRow | null> {
  // What is not there cannot be locked, and two first writers must not both find nothing.
  await tx.insert(notificationLists).values({ tenantId, kind, entries: [], version: 0, updatedBy: 'system' }).onConflictDoNothing();
  const [row] = await tx
    .select()
    .from(notificationLists)
    .where(and(eq(notificationLists.tenantId, tenantId), eq(notificationLists.kind, kind)))
    .for('no key update');
  return row ?? null;
}

/** Writes the whole of a list under lock. */
export async function setNotificationList(
  tx: DrizzleTx,
  { tenantId, kind, entries, updatedBy }: Pick<NotificationListRow, 'tenantId' | 'kind' | 'entries' | 'updatedBy'>,
): Promise<NotificationListRow> {
  const [row] = await tx
    .update(notificationLists)
    .set({ entries, updatedBy, updatedAtMs: tocsinNow, version: sql`${notificationLists.version} + 1` })
    .where(and(eq(notificationLists.tenantId, tenantId), eq(notificationLists.kind, kind)))
    .returning();
  if (row === undefined) throw new Error('a list under lock is gone');
  return row;
}

/** How many of the tenant's routes lead to a channel. */
export async function countRoutesTo(tx: DrizzleTx, tenantId: string, channelKey: string): Promise<number> {
  const row = await findNotificationList(tx, tenantId, 'routes');
  const entries = (row?.entries ?? []) as { channels?: { channel?: string }[] }[];
  return entries.filter(({ channels }) => channels?.some(({ channel }) => channel === channelKey)).length;
}
