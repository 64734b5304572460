import { channelOf } from '@tocsin/channels';
import { insertDeliveries, newId, type ChannelToPlan, type DeliveryRef, type NewDelivery, type OpenDelivery, type SqlTx } from '@tocsin/db';
import { RETRY, type FailingChannel } from '@tocsin/domain';
import type { FoldedGroup } from './folded-group.ts';
import { notificationOf, type Telling } from './notification-of.ts';

/** A message that another channel did not get. */
export interface Untold {
  delivery: Telling & Pick<OpenDelivery, 'alertId' | 'channelId' | 'channelKey' | 'channelKind'>;
  reason: string;
}

/** A message of which the world hears by another way if it does not arrive: what was not sent instead of another, and is about an alert. */
export const isOfAlert = ({ delivery: { kind, told, channelId } }: Untold): boolean =>
  kind !== 'test' && kind !== 'undelivered' && kind !== 'channel_failing' && told !== null && channelId !== null;

/**
 * The message for `channel` that tells what another was not told, to be sent whenever there is a place for it, and a row for each alert that it tells of
 * beside its own: whoever hears of that one's end looks there. None: it cannot be put into words there.
 * @param group what the message told of beside its own alert; undefined: nothing
 * @param failing the message is told of because its channel fails again and again; null: because it did not arrive
 */
export function messagesInstead(
  { delivery, reason }: Untold,
  group: FoldedGroup | undefined,
  channel: ChannelToPlan,
  publicUrl: string | null,
  failing: Omit<FailingChannel, 'channel' | 'reason'> | null,
): NewDelivery[] {
  const definition = channelOf(channel.kind);
  if (definition === null) return [];
  const common = {
    tenantId: delivery.tenantId,
    channelId: channel.id,
    channelKey: channel.key,
    channelKind: channel.kind,
    kind: failing === null ? ('undelivered' as const) : ('channel_failing' as const),
    triggerId: null,
    lifetimeMs: RETRY.expiresAfterMs,
    first: null,
  };
  const message = { ...common, id: newId(), alertId: delivery.alertId, suppressed: null, insteadOf: delivery.id };
  const about = { channel: delivery.channelKey, reason };
  const said = failing === null ? { undelivered: about } : { failing: { ...about, ...failing } };
  const body = definition.render({ ...notificationOf({ ...delivery, ...message }, publicUrl, group), ...said });
  const others = (group?.members ?? []).map(({ deliveryId, snapshot }): NewDelivery => ({
    ...common,
    id: newId(),
    alertId: snapshot.id,
    suppressed: 'folded',
    foldedInto: message.id,
    insteadOf: deliveryId,
    body: null,
  }));
  return [{ ...message, body }, ...others];
}

/** Writes them down. Answers those that are to be sent, by the delivery each is sent for. */
export async function insertInstead(sql: SqlTx, messages: readonly NewDelivery[]): Promise<Map<string, DeliveryRef[]>> {
  if (messages.length === 0) return new Map();
  await insertDeliveries(sql, messages);
  const toSend = messages.filter(({ suppressed }) => suppressed === null);
  return new Map(
    [...Map.groupBy(toSend, ({ insteadOf }) => insteadOf!)].map(([overId, of]) => [
      overId,
      of.map(({ tenantId, id }) => ({ tenantId, deliveryId: id })),
    ]),
  );
}
