import type { DeliveryStatus } from '@tocsin/domain';
import { and, asc, desc, eq, getTableColumns, inArray, lt, type SQL } from 'drizzle-orm';
import { channels } from '../tables/channels.ts';
import { deliveries, type DeliveryRow, deliveryAttempts } from '../tables/deliveries.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Null: no such condition. */
export interface DeliveryFilter {
  /** Deliveries made before the one of this id. */
  beforeId: string | null;
  limit: number;
  status: DeliveryStatus | null;
  channelId: string | null;
  channelKey: string | null;
  alertId: string | null;
}

/** As people see it: the id of a channel that is deleted leads nowhere, so it is null. */
const shown = { ...getTableColumns(deliveries), channelId: channels.id };
const itsChannel = and(eq(channels.tenantId, deliveries.tenantId), eq(channels.id, deliveries.channelId));

/** Newest first. */
export async function selectDeliveries(tx: DrizzleTx, tenantId: string, filter: DeliveryFilter): Promise<DeliveryRow[]> {
  const { beforeId, status, channelId, channelKey, alertId } = filter;
  const conditions = [
    eq(deliveries.tenantId, tenantId),
    beforeId === null ? undefined : lt(deliveries.id, beforeId),
    status === null ? undefined : eq(deliveries.status, status),
    channelId === null ? undefined : eq(deliveries.channelId, channelId),
    channelKey === null ? undefined : eq(deliveries.channelKey, channelKey),
    alertId === null ? undefined : eq(deliveries.alertId, alertId),
  ];
  return tx
    .select(shown)
    .from(deliveries)
    .leftJoin(channels, itsChannel)
    .where(and(...conditions))
    .orderBy(desc(deliveries.id))
    .limit(filter.limit);
}

export async function findDelivery(tx: DrizzleTx, tenantId: string, id: string): Promise<DeliveryRow | null> {
  const [row] = await tx
    .select(shown)
    .from(deliveries)
    .leftJoin(channels, itsChannel)
    .where(and(eq(deliveries.tenantId, tenantId), eq(deliveries.id, id)));
  return row ?? null;
}

/** Oldest first; as people see them. */
export async function selectShownDeliveries(tx: DrizzleTx, which: SQL | undefined): Promise<DeliveryRow[]> {
  return tx.select(shown).from(deliveries).leftJoin(channels, itsChannel).where(which).orderBy(asc(deliveries.id));
}

export type DeliveryAttemptRow = Omit<typeof deliveryAttempts.$inferSelect, 'tenantId' | 'id' | 'deliveryId'>;

/** Oldest first. */
export async function selectDeliveryAttempts(tx: DrizzleTx, tenantId: string, deliveryId: string): Promise<DeliveryAttemptRow[]> {
  return (await selectAttempts(tx, tenantId, [deliveryId])).map(({ attempt }) => attempt);
}

/** Of any of these deliveries, oldest first. */
export async function selectAttempts(
  tx: DrizzleTx,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<{ deliveryId: string; attempt: DeliveryAttemptRow }[]> {
  if (deliveryIds.length === 0) return [];
  const { deliveryId, number, startedAtMs, finishedAtMs, outcome, statusCode, reason, retryAfterMs, responseExcerpt } = deliveryAttempts;
  return tx
    .select({ deliveryId, attempt: { number, startedAtMs, finishedAtMs, outcome, statusCode, reason, retryAfterMs, responseExcerpt } })
    .from(deliveryAttempts)
    .where(and(eq(deliveryAttempts.tenantId, tenantId), inArray(deliveryId, [...deliveryIds])))
    .orderBy(asc(number));
}
