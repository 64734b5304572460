import { channelOf, type Channel } from '@tocsin/channels';
import {
  endDelivery,
  leaseDelivery,
  lockOpenDelivery,
  newId,
  noteOnTimeline,
  postponeDelivery,
  wakeResolved,
  withTenantsSql,
  type OpenDelivery,
  type SqlTx,
} from '@tocsin/db';
import { LEASE_MS } from '../while-leased.ts';
import type { AttemptDeps, DeliveryRef } from './delivery-deps.ts';
import { nextStep } from './next-step.ts';
import { notificationOf } from './notification-of.ts';

/** An attempt that is written down and may now be made. */
export interface Prepared {
  kind: 'send';
  delivery: OpenDelivery;
  channel: Channel;
  token: string;
  attempt: { id: string; number: number; startedMs: number };
  /** Frozen: every attempt sends these bytes. */
  body: string;
  leave: () => void;
}

export type Preparation =
  | Prepared
  /** Nothing to do now; in so many milliseconds again, null: not by us. */
  | { kind: 'not_now'; againInMs: number | null }
  /** Finished without sending. `woken` waited for it. */
  | { kind: 'ended'; delivery: OpenDelivery; status: 'dead' | 'suppressed'; reason: string; woken: string[] };

/** Leases a delivery that may be sent and writes its attempt down, in one transaction; or ends or postpones it. */
export async function prepare(deps: AttemptDeps, { tenantId, deliveryId }: DeliveryRef): Promise<Preparation> {
  let leave = (): void => undefined;
  try {
    return await withTenantsSql(deps.db, [tenantId], async (sql) => {
      const delivery = await lockOpenDelivery(sql, tenantId, deliveryId);
      if (delivery === null) return { kind: 'not_now', againInMs: null };
      const step = nextStep(delivery);
      if (step.kind === 'leave') return { kind: 'not_now', againInMs: null };
      if (step.kind === 'end') return end(sql, tenantId, delivery, step.status, step.reason);
      if (step.kind === 'wait') {
        if (step.postpone) await postponeDelivery(sql, tenantId, deliveryId, step.inMs);
        return { kind: 'not_now', againInMs: Math.ceil(step.inMs) };
      }

      const channel = channelOf(delivery.channelKind);
      if (channel === null) return end(sql, tenantId, delivery, 'dead', 'unknown_kind');
      const turn = deps.lanes.enter(tenantId, delivery.channelId ?? deliveryId);
      if ('againInMs' in turn) {
        await postponeDelivery(sql, tenantId, deliveryId, turn.againInMs);
        return { kind: 'not_now', againInMs: turn.againInMs };
      }
      leave = turn.leave;
      const body = delivery.body ?? channel.render(notificationOf(tenantId, delivery, deps.publicUrl));
      const [token, attemptId] = [newId(), newId()];
      const attempt = await leaseDelivery(sql, { tenantId, deliveryId, token, leaseMs: LEASE_MS, body, attemptId });
      return { kind: 'send', delivery, channel, token, attempt: { id: attemptId, ...attempt }, body, leave };
    });
  } catch (error) {
    leave();
    throw error;
  }
}

async function end(
  sql: SqlTx,
  tenantId: string,
  delivery: OpenDelivery,
  status: 'dead' | 'suppressed',
  reason: string,
): Promise<Preparation> {
  await endDelivery(sql, tenantId, delivery.id, status, reason);
  return {
    kind: 'ended',
    delivery,
    status,
    reason,
    woken: await tellTimeline(sql, tenantId, delivery, { status, reason, attempts: delivery.attempts }),
  };
}

/** Writes what became of a message into its alert's timeline; answers who waited for it to be over. */
export async function tellTimeline(
  sql: SqlTx,
  tenantId: string,
  { id, alertId, kind, channelId, channelKey, channelKind }: OpenDelivery,
  { status, reason, attempts }: { status: 'delivered' | 'dead' | 'suppressed'; reason: string | null; attempts: number },
): Promise<string[]> {
  if (alertId === null) return [];
  const data = { deliveryId: id, channel: channelKey, channelKind, told: kind, attempts };
  await noteOnTimeline(sql, { tenantId, id: newId(), alertId, kind: `delivery_${status}`, reason, data });
  return kind === 'resolved' ? [] : wakeResolved(sql, tenantId, alertId, { id: channelId, key: channelKey });
}
