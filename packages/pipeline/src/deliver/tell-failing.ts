import {
  channelsInstead,
  fallbacksOf,
  insertDeliveries,
  newId,
  putOwnerNotices,
  type ChannelHealth,
  type DeliveryRef,
  type NewDelivery,
  type OwnerNotice,
  type SqlTx,
} from '@tocsin/db';
import { deliveryReasonWords, FAILING_AFTER } from '@tocsin/domain';
import { isOfAlert, messageInstead, type Untold } from './instead.ts';

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
  const messages = failing.flatMap(({ channelId, turned, failures, failingSinceMs }): NewDelivery[] => {
    const fallback = fallbacks.get(channelId);
    const untold = byChannel.get(channelId)!;
    const channel = fallback ?? others.get(channelId);
    if (channel === undefined) return [];
    const since = new Date(failingSinceMs ?? untold[0]!.delivery.nowMs).toISOString();
    const first = turned === 'failing' ? messageInstead(untold[0]!, channel, publicUrl, { failures, since }) : null;
    const waiting = fallback === undefined ? [] : untold.slice(turned === 'failing' ? 1 : 0).filter(({ isDead }) => !isDead);
    return [first, ...waiting.map((each) => messageInstead(each, channel, publicUrl, null))].filter((each) => each !== null);
  });
  if (messages.length > 0) await insertDeliveries(sql, messages);
  const byOver = Map.groupBy(messages, ({ insteadOf }) => insteadOf ?? '');
  return new Map([...byOver].map(([overId, sent]) => [overId, sent.map(({ tenantId, id }) => ({ tenantId, deliveryId: id }))]));
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
