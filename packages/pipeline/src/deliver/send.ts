import { channelOf, newestSecretOnly, type Outside, type Verdict } from '@tocsin/channels';
import { newId, placeOfSecrets, putInboxMessage, withTenantsSql } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { AttemptDeps } from './delivery-deps.ts';
import type { Prepared } from './prepare.ts';

/** Makes the attempt. Rejects only when our own database fails a channel that lives in it; the lease then runs out and it is tried again. */
export async function send(deps: AttemptDeps, { delivery, channel, body, attempt }: Prepared): Promise<Verdict> {
  const { tenantId } = delivery;
  const config = openConfig(deps, delivery, attempt.startedMs);
  if (config === null)
    return { outcome: 'rejected', reason: 'secrets_unreadable', disable: false, statusCode: null, responseExcerpt: null };
  const outside: Outside = {
    request: (call, signal) => deps.outbound.request(call, signal),
    fetch: deps.outbound.fetch,
    putInbox: (message) => withTenantsSql(deps.db, [tenantId], (sql) => putInboxMessage(sql, { tenantId, id: newId(), ...message })),
    signal: deps.giveUp,
  };
  const verdict = await channel.deliver(body, config, outside, {
    deliveryId: delivery.id,
    alertId: delivery.alertId,
    nowMs: attempt.startedMs,
  });
  // given up by our own shutdown: no fault of the receiver's, so it does not count and comes again soon
  return verdict.outcome === 'retry' && verdict.reason === 'aborted' ? { ...verdict, retryAfterMs: 0 } : verdict;
}

/** Null: the secrets were sealed with another key, or for another row. */
function openConfig(
  { secretBox, logger }: AttemptDeps,
  { tenantId, channel, channelId, channelKind }: Prepared['delivery'],
  nowMs: EpochMs,
): Record<string, unknown> | null {
  if (channel.secrets === null) return channel.config;
  try {
    const secrets = JSON.parse(secretBox.open(channel.secrets, placeOfSecrets(tenantId, channelId))) as Record<string, unknown>;
    const { formerSecretsUntilMs: untilMs } = channel;
    const isOver = untilMs !== null && nowMs >= untilMs;
    return { ...channel.config, ...(isOver ? newestSecretOnly(channelOf(channelKind), secrets) : secrets) };
  } catch (error) {
    logger.error({ tenantId, channelId, err: error }, 'secrets of a channel cannot be opened');
    return null;
  }
}
