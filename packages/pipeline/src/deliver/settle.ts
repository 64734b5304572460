import type { Verdict } from '@tocsin/channels';
import {
  disableChannel,
  isRetryable,
  newId,
  noteChannelUse,
  noteOnTimeline,
  putOwnerNotices,
  settleDelivery,
  withTenantsSql,
  type SqlTx,
} from '@tocsin/db';
import type { AttemptDeps } from './delivery-deps.ts';
import { outcomeOf, type Outcome } from './outcome-of.ts';
import { tellTimeline, type Prepared } from './prepare.ts';

export interface Settled {
  outcome: Outcome;
  /** Null: a test has no trigger. */
  sinceTriggerMs: number | null;
  /** Null: it is finished. */
  againInMs: number | null;
  /** Deliveries that waited for this one and may go now. */
  woken: string[];
}

/** Within the lease: what is not written by then is sent again, under the same id. */
const RETRIES_MS = [100, 500, 2_000, 5_000];

/** Writes how an attempt ended, in one transaction fenced by the lease. Null: the lease was lost, and who has it now decides. */
export async function settle(deps: AttemptDeps, tenantId: string, prepared: Prepared, verdict: Verdict): Promise<Settled | null> {
  const { delivery } = prepared;
  const outcome = outcomeOf(verdict, { countedBefore: delivery.countedAttempts, isTest: delivery.kind === 'test', random: Math.random() });
  for (const waitMs of RETRIES_MS) {
    try {
      return await withTenantsSql(deps.db, [tenantId], (sql) => write(sql, tenantId, prepared, verdict, outcome));
    } catch (error) {
      if (!isRetryable(error)) throw error;
      await deps.clock.sleep(waitMs, deps.giveUp);
    }
  }
  return withTenantsSql(deps.db, [tenantId], (sql) => write(sql, tenantId, prepared, verdict, outcome));
}

async function write(sql: SqlTx, tenantId: string, prepared: Prepared, verdict: Verdict, outcome: Outcome): Promise<Settled | null> {
  const { delivery, token, attempt } = prepared;
  const failure = verdict.outcome === 'delivered' ? null : verdict.reason;
  const written = await settleDelivery(sql, {
    tenantId,
    deliveryId: delivery.id,
    token,
    ...outcome,
    attempt: {
      id: attempt.id,
      startedMs: attempt.startedMs,
      outcome: verdict.outcome,
      statusCode: verdict.statusCode,
      reason: failure,
      retryAfterMs: verdict.outcome === 'retry' ? finite(verdict.retryAfterMs) : null,
      responseExcerpt: verdict.responseExcerpt,
    },
  });
  if (written === null) return null;

  if (delivery.channelId !== null) await noteChannelUse(sql, tenantId, delivery.channelId, failure);
  if (verdict.outcome === 'rejected' && verdict.disable) await disable(sql, tenantId, prepared, verdict.reason);
  const isFinished = outcome.status !== 'retrying';
  const ended = {
    status: outcome.status === 'delivered' ? 'delivered' : 'dead',
    reason: outcome.reason,
    attempts: attempt.number,
  } as const;
  return {
    outcome,
    sinceTriggerMs: written.sinceTriggerMs,
    againInMs: isFinished ? null : Math.max(0, Math.ceil(written.nextInMs)),
    woken: isFinished ? await tellTimeline(sql, tenantId, delivery, ended) : [],
  };
}

/** The receiver is gone for good: the channel is switched off, and its people are told, in the one place that needs no channel. */
async function disable(sql: SqlTx, tenantId: string, { delivery }: Prepared, reason: string): Promise<void> {
  const { id, channelId, channelKey, channelKind, channel, alertId } = delivery;
  if (channelId === null || channel === null) return;
  const wasOn = await disableChannel(sql, { tenantId, channelId, version: channel.version, reason, auditId: newId() });
  if (!wasOn) return;
  const body = { kind: 'channel_disabled', channelId, channel: channelKey, channelKind, reason };
  await putOwnerNotices(sql, [
    { tenantId, id: newId(), aboutId: id, title: `Channel ${channelKey} was switched off: its receiver is gone (410)`, body },
  ]);
  if (alertId !== null)
    await noteOnTimeline(sql, { tenantId, id: newId(), alertId, kind: 'channel_disabled', reason, data: { channel: channelKey } });
}

/** A receiver may ask for longer than a number of milliseconds holds. */
const finite = (ms: number | null): number | null => (ms === null ? null : Math.min(ms, Number.MAX_SAFE_INTEGER));
