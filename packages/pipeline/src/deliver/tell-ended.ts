import { newId, noteOnTimeline, wakeResolved, type DeliveryRef, type OpenDelivery, type SqlTx } from '@tocsin/db';

export interface EndedDelivery {
  delivery: Pick<OpenDelivery, 'tenantId' | 'id' | 'alertId' | 'kind' | 'channelId' | 'channelKey' | 'channelKind'>;
  status: 'delivered' | 'dead' | 'suppressed';
  reason: string | null;
  /** All that were made. */
  attempts: number;
}

/** Writes what became of messages into their alerts' timelines; answers who waited for each to be over, by its id. */
export async function tellEnded(sql: SqlTx, ended: readonly EndedDelivery[]): Promise<Map<string, DeliveryRef[]>> {
  const ofAlerts = ended.flatMap(({ delivery, ...how }) =>
    delivery.alertId === null ? [] : { ...how, delivery, tenantId: delivery.tenantId, alertId: delivery.alertId },
  );
  if (ofAlerts.length === 0) return new Map();
  await noteOnTimeline(
    sql,
    ofAlerts.map(({ tenantId, alertId, delivery, status, reason, attempts }) => {
      const data = {
        deliveryId: delivery.id,
        channel: delivery.channelKey,
        channelKind: delivery.channelKind,
        told: delivery.kind,
        attempts,
      };
      return { tenantId, id: newId(), alertId, kind: `delivery_${status}`, reason, data };
    }),
  );
  const over = ofAlerts.flatMap(({ tenantId, alertId, delivery: { id, kind, channelId, channelKey } }) =>
    kind === 'resolved' ? [] : { overId: id, tenantId, alertId, channelId, channelKey },
  );
  const woken = over.length === 0 ? [] : await wakeResolved(sql, over);
  return Map.groupBy(woken, ({ overId }) => overId);
}
