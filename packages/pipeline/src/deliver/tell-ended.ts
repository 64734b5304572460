import { endDeliveries, newId, noteOnTimeline, wakeResolved, type DeliveryRef, type OpenDelivery, type SqlTx } from '@tocsin/db';
import { isActionChannel } from '@tocsin/domain';
import type { Untold } from './instead.ts';
import { tellDead } from './tell-dead.ts';

export interface EndedDelivery {
  delivery: Untold['delivery'];
  status: 'delivered' | 'dead' | 'suppressed';
  reason: string | null;
  /** All that were made. */
  attempts: number;
  /** The delivery that tells it too; null: none does. */
  foldedInto: string | null;
  /** To the last of them; absent: none was made just now. */
  answer?: { statusCode: number | null; excerpt: string | null };
}

/**
 * Writes what became of messages into their alerts' timelines, and sees to it that people hear of those that did not arrive. Answers what
 * may go now by the id of the message that is over: what waited for it, and what is sent instead.
 */
export async function tellEnded(
  sql: SqlTx,
  publicUrl: string | null,
  ended: readonly EndedDelivery[],
): Promise<Map<string, DeliveryRef[]>> {
  const ofAlerts = ended.flatMap(({ delivery, ...how }) =>
    delivery.alertId === null ? [] : { ...how, delivery, tenantId: delivery.tenantId, alertId: delivery.alertId },
  );
  if (ofAlerts.length === 0) return new Map();
  await noteOnTimeline(
    sql,
    ofAlerts.map(({ tenantId, alertId, delivery, status, reason, attempts, answer, foldedInto }) => {
      const isAction = isActionChannel(delivery.channelKey);
      const data = {
        deliveryId: delivery.id,
        channel: delivery.channelKey,
        channelKind: delivery.channelKind,
        told: delivery.kind,
        attempts,
        ...(foldedInto === null ? {} : { foldedInto }),
        // what people's automation says belongs to the story; what their chat says does not
        ...(isAction && answer !== undefined ? { answer } : {}),
      };
      return { tenantId, id: newId(), alertId, kind: `${isAction ? 'action' : 'delivery'}_${status}`, reason, data };
    }),
  );
  const over = ofAlerts.flatMap(({ tenantId, alertId, delivery: { id, kind, channelId, channelKey } }) =>
    kind === 'resolved' ? [] : { overId: id, tenantId, alertId, channelId, channelKey },
  );
  const woken = over.length === 0 ? [] : await wakeResolved(sql, over);
  const dead = ofAlerts.flatMap(({ delivery, status, reason }) => (status === 'dead' && reason !== null ? { delivery, reason } : []));
  const instead = await tellDead(sql, publicUrl, dead);
  const byOver = Map.groupBy(woken, ({ overId }) => overId);
  return new Map(
    ofAlerts.map(({ delivery: { id } }) => [
      id,
      // a hint takes these two and no more
      [...(byOver.get(id) ?? []).map(({ tenantId, deliveryId }) => ({ tenantId, deliveryId })), ...(instead.get(id) ?? [])],
    ]),
  );
}

export interface UnsentDelivery {
  delivery: OpenDelivery;
  status: 'dead' | 'suppressed';
  reason: string;
  /** The delivery that tells it instead; null: none does. */
  foldedInto: string | null;
}

/** Ends deliveries under lock without sending, and tells of that as `tellEnded` does. */
export async function endUnsent(
  sql: SqlTx,
  publicUrl: string | null,
  unsent: readonly UnsentDelivery[],
): Promise<Map<string, DeliveryRef[]>> {
  if (unsent.length === 0) return new Map();
  await endDeliveries(
    sql,
    unsent.map(({ delivery: { tenantId, id }, ...how }) => ({ ...how, tenantId, deliveryId: id })),
  );
  return tellEnded(
    sql,
    publicUrl,
    unsent.map((each) => ({ ...each, attempts: each.delivery.attempts })),
  );
}
