import {
  channelsByKey,
  channelsOfAlert,
  finishTrigger,
  insertDeliveries,
  lockPendingTriggers,
  newId,
  noteOnTimeline,
  withTenantsSql,
  type PendingTrigger,
  type SqlTx,
} from '@tocsin/db';
import { RETRY } from '@tocsin/domain';
import type { DeliveryRef } from '../deliver/delivery-deps.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { planForEnd, planForRule, silentReason } from './plan-deliveries.ts';

export interface TriggerRef {
  tenantId: string;
  triggerId: string;
}

/**
 * Turns a trigger, and those of its alert before it, into deliveries: one per channel, in one transaction, each to be sent or suppressed with a
 * reason. Answers those to be sent. A trigger that is planned already gives none, so any number of hints do no harm.
 */
export async function planTrigger({ db, logger, metrics }: PipelineDeps, { tenantId, triggerId }: TriggerRef): Promise<DeliveryRef[]> {
  const plans = await withTenantsSql(db, [tenantId], async (sql) => {
    const made: Plan[] = [];
    for (const trigger of await lockPendingTriggers(sql, tenantId, triggerId)) made.push(await planOne(sql, tenantId, trigger));
    return made;
  });
  for (const { trigger, silent, suppressedKinds, toSend } of plans) {
    for (const channel of suppressedKinds) metrics.notifications.inc({ channel, result: 'suppressed' });
    logger.info(
      {
        tenantId,
        triggerId: trigger.id,
        alertId: trigger.alertId,
        arrow: `${trigger.kind} → ${silent === null ? 'planned' : 'suppressed'}`,
        reason: silent,
        deliveries: toSend.length,
      },
      'trigger planned',
    );
  }
  return plans.flatMap(({ toSend }) => toSend.map((deliveryId) => ({ tenantId, deliveryId })));
}

interface Plan {
  trigger: PendingTrigger;
  silent: string | null;
  suppressedKinds: string[];
  toSend: string[];
}

async function planOne(sql: SqlTx, tenantId: string, trigger: PendingTrigger): Promise<Plan> {
  const { id: triggerId, alertId, kind } = trigger;
  const planned =
    kind === 'resolved'
      ? planForEnd(await channelsOfAlert(sql, tenantId, alertId))
      : planForRule(
          trigger,
          await channelsByKey(
            sql,
            tenantId,
            (trigger.notify ?? []).map(({ channel }) => channel),
          ),
        );
  const deliveries = planned.map((each) => ({ ...each, id: newId(), triggerId, alertId, kind, lifetimeMs: RETRY.expiresAfterMs }));
  const silent = silentReason(trigger, planned);

  if (deliveries.length > 0) await insertDeliveries(sql, tenantId, deliveries);
  await finishTrigger(sql, tenantId, triggerId, silent);
  const unsent = planned.flatMap(({ channelKey, suppressed }) => (suppressed === null ? [] : { channel: channelKey, reason: suppressed }));
  if (silent !== null || unsent.length > 0) {
    await noteOnTimeline(sql, {
      tenantId,
      id: newId(),
      alertId,
      kind: 'delivery_suppressed',
      reason: silent,
      data: { told: kind, channels: unsent },
    });
  }
  return {
    trigger,
    silent,
    suppressedKinds: planned.filter(({ suppressed }) => suppressed !== null).map(({ channelKind }) => channelKind),
    toSend: deliveries.filter(({ suppressed }) => suppressed === null).map(({ id }) => id),
  };
}
