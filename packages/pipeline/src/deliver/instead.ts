import { channelOf } from '@tocsin/channels';
import { newId, type ChannelToPlan, type NewDelivery, type OpenDelivery } from '@tocsin/db';
import { RETRY, type FailingChannel } from '@tocsin/domain';
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
 * The message for `channel` that tells what another was not told, to be sent whenever there is a place for it. Null: it cannot be put into words there.
 * @param failing the message is told of because its channel fails again and again; null: because it did not arrive
 */
export function messageInstead(
  { delivery, reason }: Untold,
  channel: ChannelToPlan,
  publicUrl: string | null,
  failing: Omit<FailingChannel, 'channel' | 'reason'> | null,
): NewDelivery | null {
  const definition = channelOf(channel.kind);
  if (definition === null) return null;
  const message = {
    tenantId: delivery.tenantId,
    id: newId(),
    alertId: delivery.alertId,
    channelId: channel.id,
    channelKey: channel.key,
    channelKind: channel.kind,
    kind: failing === null ? ('undelivered' as const) : ('channel_failing' as const),
  };
  const about = { channel: delivery.channelKey, reason };
  const said = failing === null ? { undelivered: about } : { failing: { ...about, ...failing } };
  const body = definition.render({ ...notificationOf({ ...delivery, ...message }, publicUrl), ...said });
  return { ...message, triggerId: null, suppressed: null, lifetimeMs: RETRY.expiresAfterMs, body, first: null, insteadOf: delivery.id };
}
