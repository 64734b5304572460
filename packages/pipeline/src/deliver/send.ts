import { channelOf, newestSecretOnly, type Outside, type Verdict } from '@tocsin/channels';
import { channelThread, newId, placeOfSecrets, putChannelThread, putInboxMessage, withTenantsSql } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import { signLinks } from './alert-link.ts';
import type { AttemptDeps } from './delivery-deps.ts';
import type { Prepared } from './prepare.ts';

/** Makes the attempt. Rejects only when our own database fails a channel that lives in it; the lease then runs out and it is tried again. */
export async function send(deps: AttemptDeps, { delivery, channel, body, attempt }: Prepared): Promise<Verdict> {
  const config = openConfig(deps, delivery, attempt.startedMs);
  if (config === null)
    return { outcome: 'rejected', reason: 'secrets_unreadable', disable: false, statusCode: null, responseExcerpt: null };
  const { id: deliveryId, tenantId, channelId, alertId } = delivery;
  const nowMs = attempt.startedMs;
  const signed = signLinks(deps.secretBox, body, { tenantId, channelId, alertId }, nowMs);
  const answered = await channel.deliver(signed.body, config, outsideOf(deps, delivery), { deliveryId, alertId, nowMs });
  // a receiver may answer with what it was sent, and more people may read answers than may act
  const { responseExcerpt } = answered;
  const verdict = { ...answered, responseExcerpt: responseExcerpt === null ? null : signed.hidden(responseExcerpt) };
  // given up by our own shutdown: no fault of the receiver's, so it does not count and comes again soon
  return verdict.outcome === 'retry' && verdict.reason === 'aborted' ? { ...verdict, retryAfterMs: 0 } : verdict;
}

/** What the channel may touch of the world, in this tenant's name. */
function outsideOf(
  { db, outbound, smtp, logger, giveUp }: AttemptDeps,
  { tenantId, id: deliveryId, alertId, channelId, channelKey }: Prepared['delivery'],
): Outside {
  return {
    request: (call, signal) => outbound.request(call, signal),
    fetch: outbound.fetch,
    connect: (to, signal) => outbound.connect(to, { signal }),
    mailServer: smtp === null ? null : { ...smtp, connect: (signal) => outbound.connect(smtp, { signal, isOurs: true }) },
    log: ({ level, text, fields }) => {
      if (!logger.isLevelEnabled(level)) return false;
      logger[level]({ tenantId, deliveryId, channel: channelKey, ...fields }, text);
      return true;
    },
    thread: alertId === null ? null : threadOf({ db, logger }, { tenantId, channelId, alertId }),
    putInbox: (message) => withTenantsSql(db, [tenantId], (sql) => putInboxMessage(sql, { tenantId, id: newId(), ...message })),
    signal: giveUp,
  };
}

function threadOf(
  { db, logger }: Pick<AttemptDeps, 'db' | 'logger'>,
  of: { tenantId: string; channelId: string; alertId: string },
): Outside['thread'] {
  return {
    get: () => withTenantsSql(db, [of.tenantId], (sql) => channelThread(sql, of)),
    // The message is there by now: it is not told again for the sake of a note about it, and what comes next is a first once more.
    put: (thread) =>
      withTenantsSql(db, [of.tenantId], (sql) => putChannelThread(sql, of, thread)).catch((error: unknown) =>
        logger.warn({ ...of, err: error }, 'the thread of an alert could not be noted'),
      ),
  };
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
