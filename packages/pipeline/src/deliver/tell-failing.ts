import {
  channelsInstead,
  fallbacksOf,
  newId,
  putOwnerNotices,
  type ChannelHealth,
  type DeliveryRef,
  type NewDelivery,
  type OwnerNotice,
  type SqlTx,
} from '@tocsin/db';
import { deliveryReasonWords, FAILING_AFTER } from '@tocsin/domain';
import { groupsOf } from './folded-group.ts';
import { insertInstead, isOfAlert, messagesInstead, type Untold } from './instead.ts';

export interface FailedDelivery extends Untold {
  /** It is not tried again, and is told of for that. */
  isDead: boolean;
}

/**
 * Tells a tenant's people that a channel fails again and again, and that it works again: in the product's inbox, and the first through the channel's
 * fallback or, without one, through another that works, with the message at which it turned out. While it fails, what waits for it is told through
 * its fallback at once: a day is too long to wait. Answers what is to be sent, by the delivery it is sent for.
 */
export async function tellFailing(
  sql: SqlTx,
  publicUrl: string | null,
  health: readonly ChannelHealth[],
  failed: readonly FailedDelivery[],
): Promise<Map<string, DeliveryRef[]>> {
  const byChannel = Map.groupBy(failed.filter(isOfAlert), ({ delivery }) => delivery.channelId);
  const notices = health.flatMap((each) => noticeOf(each, failed));
  if (notices.length > 0) await putOwnerNotices(sql, notices);
  const failing = health.filter(({ failures, channelId }) => failures >= FAILING_AFTER && byChannel.has(channelId));
  if (failing.length === 0) return new Map();

  const fallbacks = new Map((await fallbacksOf(sql, failing)).map((channel) => [channel.insteadOf, channel]));
  const alone = failing.filter(({ channelId, turned }) => turned === 'failing' && !fallbacks.has(channelId));
  const others = new Map(alone.length === 0 ? [] : (await channelsInstead(sql, alone)).map((channel) => [channel.insteadOf, channel]));
  const groups = await groupsOf(
    sql,
    failing.flatMap(({ channelId }) => byChannel.get(channelId)!.map(({ delivery }) => delivery)),
  );
  const messages = failing.flatMap(({ channelId, turned, failures, failingSinceMs }): NewDelivery[] => {
    const fallback = fallbacks.get(channelId);
    const untold = byChannel.get(channelId)!;
    const channel = fallback ?? others.get(channelId);
    if (channel === undefined) return [];
    const instead = (each: Untold, about: Parameters<typeof messagesInstead>[4]) =>
      messagesInstead(each, groups.get(each.delivery.id), channel, publicUrl, about);
    const since = new Date(failingSinceMs ?? untold[0]!.delivery.nowMs).toISOString();
    const first = turned === 'failing' ? instead(untold[0]!, { failures, since }) : [];
    const waiting = fallback === undefined ? [] : untold.slice(turned === 'failing' ? 1 : 0).filter(({ isDead }) => !isDead);
    return [...first, ...waiting.flatMap((each) => instead(each, null))];
  });
  return insertInstead(sql, messages);
}

function noticeOf(
  { tenantId, channelId, key, turned, failures, failingSinceMs }: ChannelHealth,
  failed: readonly FailedDelivery[],
): OwnerNotice[] {
  if (turned === null) return [];
  const id = newId();
  const about = { channelId, channel: key };
  if (turned === 'working') {
    return [{ tenantId, id, aboutId: id, title: `Channel ${key} works again`, body: { kind: 'channel_working', ...about } }];
  }
  const reason = failed.findLast(({ delivery }) => delivery.channelId === channelId)?.reason ?? null;
  const since = failingSinceMs === null ? null : new Date(failingSinceMs).toISOString();
  const why = reason === null ? '' : `, ${deliveryReasonWords(reason)}`;
  const title = `Channel ${key} is failing: ${failures} messages in a row did not arrive${why}`;
  return [{ tenantId, id, aboutId: id, title, body: { kind: 'channel_failing', ...about, failures, since, reason } }];
}
