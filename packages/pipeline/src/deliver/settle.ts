import type { Verdict } from '@tocsin/channels';
import {
  disableChannel,
  newId,
  noteChannelUses,
  noteOnTimeline,
  putOwnerNotices,
  settleDeliveries,
  withTenantsSql,
  type ChannelUse,
  type DeliveryOutcome,
  type DeliveryRef,
  type SqlTx,
} from '@tocsin/db';
import { FAILING_AFTER } from '@tocsin/domain';
import type { DeliveryDeps } from './delivery-deps.ts';
import { outcomeOf, type Outcome } from './outcome-of.ts';
import type { Message, Prepared } from './prepare.ts';
import { tellEnded, type EndedDelivery } from './tell-ended.ts';
import { tellFailing, type FailedDelivery } from './tell-failing.ts';

/** An attempt that was made, and what it means for its delivery. */
export interface Made {
  prepared: Prepared;
  verdict: Verdict;
  outcome: Outcome;
}

export interface Settled {
  outcome: Outcome;
  /** Null: a test has no trigger. */
  sinceTriggerMs: number | null;
  /** Null: it is finished. */
  againInMs: number | null;
  /** Deliveries that waited for this one, or are sent instead, and may go now. */
  woken: DeliveryRef[];
}

export const madeOf = (prepared: Prepared, verdict: Verdict): Made => {
  const { countedAttempts, kind } = prepared.delivery;
  return {
    prepared,
    verdict,
    outcome: outcomeOf(verdict, { countedBefore: countedAttempts, isTest: kind === 'test', random: Math.random() }),
  };
};

/**
 * Writes how attempts ended, in one transaction fenced by their leases. Answers in the order given; null: the lease was lost, and who has
 * it now decides.
 */
export function settle(deps: Pick<DeliveryDeps, 'db' | 'publicUrl'>, made: readonly Made[]): Promise<(Settled | null)[]> {
  const tenantIds = [...new Set(made.map(({ prepared }) => prepared.delivery.tenantId))];
  return withTenantsSql(deps.db, tenantIds, async (sql) => {
    const settled = await settleDeliveries(sql, made.map(deliveryOutcome));
    const ours = made.filter(({ prepared }) => settled.has(prepared.delivery.id));
    if (ours.length === 0) return made.map(() => null);

    const health = await noteChannelUses(sql, ours.map(useOf), FAILING_AFTER);
    for (const { prepared, verdict } of ours)
      if (verdict.outcome === 'rejected' && verdict.disable) await disable(sql, prepared.delivery, verdict.reason);
    const instead = await tellFailing(sql, deps.publicUrl, health, ours.flatMap(failed));
    const woken = await tellEnded(sql, deps.publicUrl, ours.flatMap(ended));
    return made.map(({ prepared: { delivery }, outcome }): Settled | null => {
      const row = settled.get(delivery.id);
      if (row === undefined) return null;
      const againInMs = outcome.status === 'retrying' ? Math.max(0, Math.ceil(row.nextInMs)) : null;
      return {
        outcome,
        sinceTriggerMs: row.sinceTriggerMs,
        againInMs,
        woken: [...(woken.get(delivery.id) ?? []), ...(instead.get(delivery.id) ?? [])],
      };
    });
  });
}

function deliveryOutcome({ prepared: { delivery, token, attempt }, verdict, outcome }: Made): DeliveryOutcome {
  return {
    tenantId: delivery.tenantId,
    deliveryId: delivery.id,
    token,
    ...outcome,
    attempt: {
      id: attempt.id,
      startedMs: attempt.startedMs,
      outcome: verdict.outcome,
      statusCode: verdict.statusCode,
      reason: failureOf(verdict),
      retryAfterMs: verdict.outcome === 'retry' ? finite(verdict.retryAfterMs) : null,
      responseExcerpt: verdict.responseExcerpt,
    },
  };
}

/** Whether a channel works is told by what it was sent in earnest; a test that arrives tells it, too. */
const useOf = ({ prepared: { delivery }, verdict }: Made): ChannelUse => ({
  tenantId: delivery.tenantId,
  channelId: delivery.channelId,
  lastError: failureOf(verdict),
  isCounted: delivery.kind !== 'test' && (verdict.outcome === 'rejected' || (verdict.outcome === 'retry' && verdict.retryAfterMs === null)),
});

const failed = ({ prepared: { delivery }, verdict, outcome: { status } }: Made): FailedDelivery[] =>
  verdict.outcome === 'delivered' || verdict.outcome === 'suppressed'
    ? []
    : [{ delivery, reason: verdict.reason, isDead: status === 'dead' }];

const failureOf = (verdict: Verdict): string | null => (verdict.outcome === 'delivered' ? null : verdict.reason);

const ended = ({ prepared: { delivery, attempt }, verdict, outcome: { status, reason } }: Made): EndedDelivery[] => {
  if (status === 'retrying') return [];
  const answer = { statusCode: verdict.statusCode, excerpt: verdict.responseExcerpt };
  return [{ delivery, status, reason, attempts: attempt.number, answer, foldedInto: null }];
};

/** The receiver is gone for good: the channel is switched off, and its people are told, in the one place that needs no channel. */
async function disable(sql: SqlTx, delivery: Message, reason: string): Promise<void> {
  const { tenantId, id, channelId, channelKey, channelKind, channel, alertId } = delivery;
  const wasOn = await disableChannel(sql, { tenantId, channelId, version: channel.version, reason, auditId: newId() });
  if (!wasOn) return;
  const body = { kind: 'channel_disabled', channelId, channel: channelKey, channelKind, reason };
  await putOwnerNotices(sql, [
    { tenantId, id: newId(), aboutId: id, title: `Channel ${channelKey} was switched off: its receiver is gone (410)`, body },
  ]);
  if (alertId !== null)
    await noteOnTimeline(sql, [{ tenantId, id: newId(), alertId, kind: 'channel_disabled', reason, data: { channel: channelKey } }]);
}

/** A receiver may ask for longer than a number of milliseconds holds. */
const finite = (ms: number | null): number | null => (ms === null ? null : Math.min(Math.ceil(ms), Number.MAX_SAFE_INTEGER));
