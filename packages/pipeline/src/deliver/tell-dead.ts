import { channelOf } from '@tocsin/channels';
import {
  channelsInstead,
  claimDeadNotices,
  insertDeliveries,
  newId,
  putOwnerNotices,
  type DeliveryRef,
  type NewDelivery,
  type OpenDelivery,
  type SqlTx,
} from '@tocsin/db';
import { isActionChannel, RETRY } from '@tocsin/domain';
import { notificationOf, type Telling } from './notification-of.ts';

export interface DeadDelivery {
  delivery: Telling & Pick<OpenDelivery, 'alertId' | 'channelId' | 'channelKey' | 'channelKind'>;
  reason: string;
}

/** A channel that is down fails every message; its people need to hear of it once in a while. */
const QUIET_MS = 3_600_000;

/** What people did themselves. */
const ON_PURPOSE = new Set(['channel_missing', 'channel_disabled']);

/**
 * Tells a tenant's people that a channel is not reached: in the product's inbox and, with the alert that was not told, through another
 * channel that works. Once an hour for a channel. What is told so, and a test, begets nothing when it dies in turn. Answers what is to be
 * sent, each with the id of the one it is sent for.
 */
export async function tellDead(
  sql: SqlTx,
  publicUrl: string | null,
  dead: readonly DeadDelivery[],
): Promise<(DeliveryRef & { overId: string })[]> {
  const byChannel = new Map(dead.flatMap((each) => (isNews(each) ? [[each.delivery.channelId ?? '', each] as const] : [])));
  if (byChannel.size === 0) return [];
  const failing = [...byChannel].map(([channelId, { delivery }]) => ({ tenantId: delivery.tenantId, channelId }));
  const due = await claimDeadNotices(sql, failing, QUIET_MS);
  if (due.length === 0) return [];

  await putOwnerNotices(
    sql,
    due.map(({ tenantId, channelId }) => {
      const { delivery, reason } = byChannel.get(channelId)!;
      const { id, alertId, channelKey, channelKind } = delivery;
      const body = { kind: 'delivery_dead', deliveryId: id, alertId, channelId, channel: channelKey, channelKind, reason };
      return { tenantId, id: newId(), aboutId: id, title: `A message to channel ${channelKey} did not arrive: ${reason}`, body };
    }),
  );
  // what automation was not told is no message for people, who have theirs
  const ofPeople = due.filter(({ channelId }) => !isActionChannel(byChannel.get(channelId)!.delivery.channelKey));
  const instead = (await channelsInstead(sql, ofPeople)).flatMap(
    ({ insteadOf, id: channelId, key: channelKey, kind: channelKind }): { overId: string; message: NewDelivery }[] => {
      const { delivery, reason } = byChannel.get(insteadOf)!;
      const channel = channelOf(channelKind);
      if (channel === null) return [];
      const { tenantId, alertId } = delivery;
      const message = { tenantId, id: newId(), alertId, channelId, channelKey, channelKind, kind: 'undelivered' as const };
      const undelivered = { channel: delivery.channelKey, reason };
      const body = channel.render({ ...notificationOf({ ...delivery, ...message }, publicUrl), undelivered });
      const pending = { triggerId: null, suppressed: null, lifetimeMs: RETRY.expiresAfterMs, body, first: null };
      return [{ overId: delivery.id, message: { ...message, ...pending } }];
    },
  );
  if (instead.length > 0)
    await insertDeliveries(
      sql,
      instead.map(({ message }) => message),
    );
  return instead.map(({ overId, message }) => ({ tenantId: message.tenantId, deliveryId: message.id, overId }));
}

const isNews = ({ delivery: { kind, told, channelId }, reason }: DeadDelivery): boolean =>
  kind !== 'test' && kind !== 'undelivered' && told !== null && channelId !== null && !ON_PURPOSE.has(reason) && reason !== 'unrenderable';
