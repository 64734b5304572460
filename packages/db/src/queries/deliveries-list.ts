import { and, asc, desc, eq, lt } from 'drizzle-orm';
import { deliveries, type DeliveryRow, type DeliveryStatus, deliveryAttempts } from '../tables/deliveries.ts';
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
    .select()
    .from(deliveries)
    .where(and(...conditions))
    .orderBy(desc(deliveries.id))
    .limit(filter.limit);
}

export async function findDelivery(tx: DrizzleTx, tenantId: string, id: string): Promise<DeliveryRow | null> {
  const [row] = await tx
    .select()
    .from(deliveries)
    .where(and(eq(deliveries.tenantId, tenantId), eq(deliveries.id, id)));
  return row ?? null;
}

export type DeliveryAttemptRow = Omit<typeof deliveryAttempts.$inferSelect, 'tenantId' | 'id' | 'deliveryId'>;

/** Oldest first. */
export async function selectDeliveryAttempts(tx: DrizzleTx, tenantId: string, deliveryId: string): Promise<DeliveryAttemptRow[]> {
  const { number, startedAtMs, finishedAtMs, outcome, statusCode, reason, retryAfterMs, responseExcerpt } = deliveryAttempts;
  return tx
    .select({ number, startedAtMs, finishedAtMs, outcome, statusCode, reason, retryAfterMs, responseExcerpt })
    .from(deliveryAttempts)
    .where(and(eq(deliveryAttempts.tenantId, tenantId), eq(deliveryAttempts.deliveryId, deliveryId)))
    .orderBy(asc(number));
}
