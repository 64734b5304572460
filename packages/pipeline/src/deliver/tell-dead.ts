import {
  channelsInstead,
  claimDeadNotices,
  fallbacksOf,
  newId,
  putOwnerNotices,
  type ChannelToPlan,
  type DeliveryRef,
  type SqlTx,
} from '@tocsin/db';
import { isActionChannel } from '@tocsin/domain';
import { groupsOf } from './folded-group.ts';
import { insertInstead, isOfAlert, messagesInstead, type Untold } from './instead.ts';

/** A channel that is down fails every message; its people need to hear of it once in a while. */
const QUIET_MS = 3_600_000;

/** What people did themselves. */
const ON_PURPOSE = new Set(['channel_missing', 'channel_disabled']);

/**
 * Tells a tenant's people of messages that did not arrive: each through the channel's fallback, where it has one; and once an hour for a channel in
 * the product's inbox and, without a fallback, through another channel that works. What is told so, and a test, begets nothing when it dies in turn.
 * Answers what is to be sent, by the delivery it is sent for.
 */
export async function tellDead(sql: SqlTx, publicUrl: string | null, dead: readonly Untold[]): Promise<Map<string, DeliveryRef[]>> {
  const news = dead.filter(isNews);
  if (news.length === 0) return new Map();
  const byChannel = new Map(news.map((each) => [each.delivery.channelId ?? '', each] as const));
  const failing = [...byChannel].map(([channelId, { delivery }]) => ({ tenantId: delivery.tenantId, channelId }));
  const fallbacks = new Map((await fallbacksOf(sql, failing)).map((channel) => [channel.insteadOf, channel]));
  const due = await claimDeadNotices(sql, failing, QUIET_MS);
  if (due.length > 0) {
    await putOwnerNotices(
      sql,
      due.map(({ tenantId, channelId }) => {
        const { delivery, reason } = byChannel.get(channelId)!;
        const { id, alertId, channelKey, channelKind } = delivery;
        const body = { kind: 'delivery_dead', deliveryId: id, alertId, channelId, channel: channelKey, channelKind, reason };
        return { tenantId, id: newId(), aboutId: id, title: `A message to channel ${channelKey} did not arrive: ${reason}`, body };
      }),
    );
  }
  // what automation was not told is no message for people, who have theirs
  const isOfPeople = (channelId: string): boolean => !isActionChannel(byChannel.get(channelId)!.delivery.channelKey);
  const alone = due.filter(({ channelId }) => !fallbacks.has(channelId) && isOfPeople(channelId));
  const others = alone.length === 0 ? [] : await channelsInstead(sql, alone);
  const told = news.flatMap((untold): [Untold, ChannelToPlan][] => {
    const fallback = fallbacks.get(untold.delivery.channelId ?? '');
    return fallback === undefined || isActionChannel(untold.delivery.channelKey) ? [] : [[untold, fallback]];
  });
  for (const channel of others) told.push([byChannel.get(channel.insteadOf)!, channel]);
  const groups = await groupsOf(
    sql,
    told.map(([{ delivery }]) => delivery),
  );
  return insertInstead(
    sql,
    told.flatMap(([untold, channel]) => messagesInstead(untold, groups.get(untold.delivery.id), channel, publicUrl, null)),
  );
}

const isNews = (untold: Untold): boolean => isOfAlert(untold) && !ON_PURPOSE.has(untold.reason) && untold.reason !== 'unrenderable';
