import { channelOf } from '@tocsin/channels';
import {
  channelsToldLater,
  lockOpenDeliveries,
  overtakenBy,
  waitWith,
  type ChannelRef,
  type ChannelToldLater,
  type Overtaken,
  type SqlTx,
} from '@tocsin/db';
import { DRILL_PREFIX, laterKey, RETRY, toldLater } from '@tocsin/domain';
import { endUnsent } from '../deliver/tell-ended.ts';
import type { Sendable } from './hold-back.ts';

/** The channels, of those that are sent to, that have quiet hours or a digest, by their id. */
export async function toldLaterOf(sql: SqlTx, sendable: readonly Sendable[]): Promise<Map<string, ChannelToldLater>> {
  const refs = new Map(sendable.flatMap(({ delivery }): [string, ChannelRef][] => refOf(delivery)));
  const channels = refs.size === 0 ? [] : await channelsToldLater(sql, [...refs.values()]);
  return new Map(channels.map((channel) => [channel.channelId, channel]));
}

const refOf = ({ tenantId, channelId }: Sendable['delivery']): [string, ChannelRef][] =>
  channelId === null ? [] : [[channelId, { tenantId, channelId }]];

/**
 * Lets messages wait for the end of quiet hours, or for a digest. Changes their `hold`; what waits is a row like any other, whose day of being tried begins
 * when it is due. Answers those that do not wait.
 */
export function tellLater(sendable: readonly Sendable[], channels: ReadonlyMap<string, ChannelToldLater>): Sendable[] {
  return sendable.filter(({ trigger, delivery }) => {
    const channel = channels.get(delivery.channelId ?? '');
    // a drill shows that messages arrive, and how soon
    if (channel === undefined || trigger.told.rule.key.startsWith(DRILL_PREFIX)) return true;
    const later = toldLater(channel, delivery.kind, trigger.severity, trigger.nowMs);
    if (later === null) return true;
    const isApart = channelOf(delivery.channelKind)?.perAlert === true || !channel.grouping;
    const byMs = later.untilMs - trigger.nowMs;
    delivery.hold = { foldKey: laterKey(later.reason, isApart ? delivery.alertId : null), byMs };
    delivery.later = later;
    delivery.lifetimeMs = trigger.ageMs + byMs + RETRY.expiresAfterMs;
    return false;
  });
}

/**
 * No older word of an alert comes after a newer one: what waits while these are told sooner ends `suppressed(folded)` and names the one that goes at once, or
 * waits no longer than the one that waits.
 */
export async function overtake(
  sql: SqlTx,
  publicUrl: string | null,
  sendable: readonly Sendable[],
  channels: ReadonlyMap<string, ChannelToldLater>,
): Promise<void> {
  const newer = sendable.flatMap(({ delivery: { tenantId, id, alertId, channelId } }) =>
    alertId === null || !channels.has(channelId ?? '') ? [] : { tenantId, deliveryId: id, alertId },
  );
  const overtaken = newer.length === 0 ? [] : await overtakenBy(sql, newer);
  if (overtaken.length === 0) return;
  const byId = new Map(overtaken.map((each) => [each.deliveryId, each]));
  // what somebody has in hand just now is being told
  const found = (await lockOpenDeliveries(sql, overtaken)).flatMap((delivery) => {
    const by = byId.get(delivery.id);
    return by === undefined || delivery.attempts > 0 ? [] : { delivery, by };
  });
  const waiting = found.flatMap(({ by }): Overtaken[] => (by.isAtOnce ? [] : [by]));
  if (waiting.length > 0) await waitWith(sql, waiting);
  await endUnsent(
    sql,
    publicUrl,
    found.flatMap(({ delivery, by }) =>
      by.isAtOnce ? { delivery, status: 'suppressed' as const, reason: 'folded', foldedInto: by.byId } : [],
    ),
  );
}
