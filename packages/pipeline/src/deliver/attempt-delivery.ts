import { performance } from 'node:perf_hooks';
import type { Verdict } from '@tocsin/channels';
import { renewDeliveryLease, withTenantsSql } from '@tocsin/db';
import { faultPoint } from '@tocsin/runtime';
import { LEASE_MS, whileLeased } from '../while-leased.ts';
import type { AttemptDeps, DeliveryRef } from './delivery-deps.ts';
import { prepare, type Prepared } from './prepare.ts';
import { send } from './send.ts';
import { settle } from './settle.ts';

export interface Attempted {
  /** When to look again; null: finished, or in other hands. */
  againInMs: number | null;
  /** Deliveries that waited for this one and may go now. */
  woken: string[];
  /** Null: nothing was sent. */
  sent: { verdict: Verdict; durationMs: number } | null;
}

/** An attempt at a delivery: over already, because there was nothing to send, or under way. */
export type Begun = { kind: 'over'; attempted: Attempted } | { kind: 'sending'; attempted: Promise<Attempted> };

/**
 * Makes one attempt at a delivery, if it is due and nobody else has it: lease and attempt row first, then the call, then the outcome.
 * Whatever dies in between leaves an attempt without outcome, and the delivery is sent again with the same id and the same bytes.
 */
export async function attemptDelivery(deps: AttemptDeps, ref: DeliveryRef): Promise<Attempted> {
  return (await beginAttempt(deps, ref)).attempted;
}

/** `attemptDelivery` for who need not wait for the receiver. The send under way must be waited for before the process ends. */
export async function beginAttempt(deps: AttemptDeps, ref: DeliveryRef): Promise<Begun> {
  const prepared = await prepare(deps, ref);
  switch (prepared.kind) {
    case 'not_now':
      return { kind: 'over', attempted: { againInMs: prepared.againInMs, woken: [], sent: null } };
    case 'ended':
      deps.metrics.notifications.inc({ channel: prepared.delivery.channelKind, result: prepared.status });
      deps.logger.info(
        { ...ref, channel: prepared.delivery.channelKey, arrow: `${prepared.delivery.kind} → ${prepared.status}`, reason: prepared.reason },
        'delivery ended unsent',
      );
      return { kind: 'over', attempted: { againInMs: null, woken: prepared.woken, sent: null } };
    case 'send':
      return { kind: 'sending', attempted: sendPrepared(deps, ref, prepared) };
  }
}

async function sendPrepared(deps: AttemptDeps, ref: DeliveryRef, prepared: Prepared): Promise<Attempted> {
  const { metrics, logger } = deps;
  const { delivery, attempt } = prepared;
  try {
    faultPoint('dispatcher.attempt-written');
    const startedMs = performance.now();
    const lease = { ...ref, token: prepared.token, leaseMs: LEASE_MS };
    const renew = () => withTenantsSql(deps.db, [ref.tenantId], (sql) => renewDeliveryLease(sql, lease));
    const { verdict, durationMs, settled } = await whileLeased(deps, renew, async () => {
      const answer = await send(deps, ref.tenantId, prepared);
      const took = Math.round(performance.now() - startedMs);
      faultPoint('dispatcher.after-response');
      return { verdict: answer, durationMs: took, settled: await settle(deps, ref.tenantId, prepared, answer) };
    });
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
    prepared.leave();
  }
}
