import { performance } from 'node:perf_hooks';
import type { Verdict } from '@tocsin/channels';
import { isRetryable, renewDeliveryLeases, withTenantsSql, type DeliveryLease, type DeliveryRef } from '@tocsin/db';
import { faultPoint } from '@tocsin/runtime';
import { inBatches } from '../in-batches.ts';
import { LEASE_MS, whileLeased } from '../while-leased.ts';
import type { AttemptDeps } from './delivery-deps.ts';
import type { Place } from './lanes.ts';
import { prepare, type Preparation, type Prepared } from './prepare.ts';
import { send } from './send.ts';
import { madeOf, settle, type Settled } from './settle.ts';

export interface Attempted {
  /** When to look again; null: finished, or in other hands. */
  againInMs: number | null;
  /** Deliveries that waited for this one and may go now. */
  woken: readonly DeliveryRef[];
  /** Null: nothing was sent. */
  sent: { verdict: Verdict; durationMs: number } | null;
}

/** An attempt at a delivery: over already, because there was nothing to send; waiting for a place; or under way. */
export type Begun =
  | { kind: 'over'; attempted: Attempted }
  | { kind: 'full'; channelId: string }
  | { kind: 'sending'; attempted: Promise<Attempted> };

export interface Attempts {
  /**
   * Makes one attempt at a delivery, if it is due and nobody else has it: lease and attempt row first, then the call, then the outcome.
   * Whatever dies in between leaves an attempt without outcome, and the delivery is sent again with the same id and the same bytes.
   * A send under way must be waited for before the process ends.
   */
  begin: (ref: DeliveryRef, place?: Place) => Promise<Begun>;
  /** The same for one that is prepared. */
  send: (prepared: Prepared) => Promise<Attempted>;
}

/** What arrives together is leased, renewed and settled together: a transaction costs more than what is done in it for one. */
const BATCH = { atMost: 64, batches: 2 } as const;
const SETTLE_AGAIN_MS = [100, 500] as const;
const SETTLE_AGAIN_MAX_MS = 1_000;

export function openAttempts(deps: AttemptDeps): Attempts {
  const { metrics, logger } = deps;
  const prepareOne = inBatches({ ...BATCH, work: (wanted: readonly { ref: DeliveryRef; place: Place | null }[]) => prepare(deps, wanted) });
  const settleOne = inBatches({ ...BATCH, work: (made: readonly ReturnType<typeof madeOf>[]) => settle(deps, made) });
  const renewOne = inBatches({ ...BATCH, work: (leases: readonly DeliveryLease[]) => renew(deps, leases) });

  /**
   * As long as it takes: the fence is the token, not the time, so an outcome that is written late still stands unless somebody has tried
   * again by then. Only a shutdown that can wait no longer leaves it unwritten.
   */
  const settleSurely = async (prepared: Prepared, verdict: Verdict): Promise<Settled | null> => {
    const made = madeOf(prepared, verdict);
    for (let tried = 0; ; tried += 1) {
      try {
        return await settleOne(made);
      } catch (error) {
        if (!isRetryable(error) || deps.giveUp.aborted) throw error;
        await deps.clock.sleep(SETTLE_AGAIN_MS[tried] ?? SETTLE_AGAIN_MAX_MS, deps.giveUp);
      }
    }
  };

  const sendPrepared = async (prepared: Prepared): Promise<Attempted> => {
    const { delivery, attempt } = prepared;
    const ref = { tenantId: delivery.tenantId, deliveryId: delivery.id };
    const leasedMs = performance.now();
    try {
      faultPoint('dispatcher.attempt-written');
      const startedMs = performance.now();
      if (startedMs - leasedMs > LEASE_MS) {
        // A process that was held up for so long finds it sent by another, or about to be.
        metrics.notifications.inc({ channel: delivery.channelKind, result: 'lease_lost' });
        logger.warn({ ...ref, heldUpMs: Math.round(startedMs - leasedMs) }, 'held up beyond its lease; nothing is sent');
        return { againInMs: null, woken: [], sent: null };
      }
      const lease = { ...ref, token: prepared.token, leaseMs: LEASE_MS };
      const { verdict, durationMs, settled } = await whileLeased(
        deps,
        () => renewOne(lease),
        async () => {
          const answer = await send(deps, prepared);
          const took = Math.round(performance.now() - startedMs);
          faultPoint('dispatcher.after-response');
          return { verdict: answer, durationMs: took, settled: await settleSurely(prepared, answer) };
        },
      );
      const result = settled?.outcome.status ?? 'lease_lost';
      metrics.notifications.inc({ channel: delivery.channelKind, result });
      if (result === 'delivered' && settled !== null && settled.sinceTriggerMs !== null) {
        metrics.notificationLatencySeconds.observe({ channel: delivery.channelKind }, settled.sinceTriggerMs / 1_000);
      }
      const reason = verdict.outcome === 'delivered' ? null : verdict.reason;
      logger.info(
        { ...ref, channel: delivery.channelKey, attempt: attempt.number, arrow: `${delivery.kind} → ${result}`, reason, durationMs },
        'delivery attempted',
      );
      return { againInMs: settled?.againInMs ?? null, woken: settled?.woken ?? [], sent: { verdict, durationMs } };
    } finally {
      prepared.place.leave();
    }
  };

  const begunOf = (ref: DeliveryRef, prepared: Preparation): Begun => {
    if (prepared.kind === 'send') return { kind: 'sending', attempted: sendPrepared(prepared) };
    if (prepared.kind === 'full') return prepared;
    if (prepared.kind === 'not_now') return { kind: 'over', attempted: { againInMs: prepared.againInMs, woken: [], sent: null } };
    const { delivery, status, reason, woken } = prepared;
    metrics.notifications.inc({ channel: delivery.channelKind, result: status });
    logger.info({ ...ref, channel: delivery.channelKey, arrow: `${delivery.kind} → ${status}`, reason }, 'delivery ended unsent');
    return { kind: 'over', attempted: { againInMs: null, woken, sent: null } };
  };

  return {
    begin: async (ref, place) => begunOf(ref, await prepareOne({ ref, place: place ?? null })),
    send: sendPrepared,
  };
}

async function renew({ db }: AttemptDeps, leases: readonly DeliveryLease[]): Promise<void[]> {
  const tenantIds = [...new Set(leases.map(({ tenantId }) => tenantId))];
  await withTenantsSql(db, tenantIds, (sql) => renewDeliveryLeases(sql, leases));
  return leases.map(() => undefined);
}
