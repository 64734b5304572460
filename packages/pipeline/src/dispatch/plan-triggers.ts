import {
  channelsByKey,
  channelsOfAlerts,
  finishTriggers,
  insertDeliveries,
  lockPendingTriggers,
  newId,
  noteOnTimeline,
  withTenantsSql,
  type DeliveryRef,
  type HeardChannel,
  type NewDelivery,
  type PendingTrigger,
  type SqlTx,
  type TriggerRef,
} from '@tocsin/db';
import { channelOf } from '@tocsin/channels';
import { RETRY } from '@tocsin/domain';
import type { AttemptDeps } from '../deliver/delivery-deps.ts';
import type { Prepared } from '../deliver/prepare.ts';
import { firstAttempts, type FirstAttempts } from './first-attempts.ts';
import { planForAcknowledged, planForEnd, planForRule, silentReason, type PlannedDelivery } from './plan-deliveries.ts';

export interface PlannedTriggers {
  /** Leased with their planning: to be sent at once. */
  prepared: Prepared[];
  /** To be sent as soon as may be. */
  toSend: DeliveryRef[];
}

/**
 * Turns triggers, and those of their alerts before them, into deliveries: one per channel, all in one transaction, each to be sent or
 * suppressed with a reason. What there is a place for is leased in the same transaction. A trigger that is planned already gives none, so
 * any number of hints do no harm.
 */
export async function planTriggers(deps: AttemptDeps, refs: readonly TriggerRef[]): Promise<PlannedTriggers> {
  const first = firstAttempts(deps);
  try {
    const plans = await withTenantsSql(deps.db, [...new Set(refs.map(({ tenantId }) => tenantId))], async (sql) => {
      const triggers = await lockPendingTriggers(sql, refs);
      // who hears of the end is known once the beginnings are planned
      const followsOthers = ({ kind }: PendingTrigger): boolean => kind === 'resolved' || kind === 'acknowledged';
      const [followers, others] = [triggers.filter(followsOthers), triggers.filter((trigger) => !followsOthers(trigger))];
      const made = [...(await planForRules(sql, others, first)), ...(await planForHeard(sql, followers))];
      if (made.length > 0) await finish(sql, made);
      return made;
    });
    plans.forEach((plan) => report(deps, plan));
    const prepared = first.prepared();
    const begun = new Set(prepared.map(({ delivery }) => delivery.id));
    const toSend = plans.flatMap(({ deliveries }) => deliveries.filter(({ id, suppressed }) => suppressed === null && !begun.has(id)));
    return { prepared, toSend: toSend.map(({ tenantId, id }) => ({ tenantId, deliveryId: id })) };
  } catch (error) {
    first.giveUp();
    throw error;
  }
}

interface Plan {
  trigger: PendingTrigger;
  deliveries: NewDelivery[];
  /** Why nobody hears of it; null: somebody does. */
  silent: string | null;
}

async function planForRules(sql: SqlTx, triggers: readonly PendingTrigger[], first: FirstAttempts): Promise<Plan[]> {
  if (triggers.length === 0) return [];
  const wanted = triggers.flatMap(({ tenantId, notify }) => (notify ?? []).map(({ channel }) => ({ tenantId, key: channel })));
  const channels = Map.groupBy(await channelsByKey(sql, wanted), ({ tenantId }) => tenantId);
  const plans = triggers.map((trigger) => {
    const ofTenant = channels.get(trigger.tenantId) ?? [];
    const plan = planOf(trigger, planForRule(trigger, ofTenant));
    for (const delivery of plan.deliveries) {
      const channel = ofTenant.find(({ id }) => id === delivery.channelId);
      if (delivery.suppressed === null && channel !== undefined) Object.assign(delivery, first.begin(trigger, delivery, channel));
    }
    return plan;
  });
  first.started(await insertAll(sql, plans));
  return plans;
}

/** Who heard of an alert hears that it is over, and that somebody has it who wants to. */
async function planForHeard(sql: SqlTx, triggers: readonly PendingTrigger[]): Promise<Plan[]> {
  if (triggers.length === 0) return [];
  const heard = Map.groupBy(await channelsOfAlerts(sql, triggers), ({ alertId }) => alertId);
  const plans = triggers.map((trigger) => planOf(trigger, whoHears(trigger, heard.get(trigger.alertId) ?? [])));
  await insertAll(sql, plans);
  return plans;
}

const whoHears = ({ kind }: PendingTrigger, heard: readonly HeardChannel[]): PlannedDelivery[] =>
  kind === 'acknowledged' ? planForAcknowledged(heard, (channel) => channelOf(channel)?.hears?.includes(kind) ?? false) : planForEnd(heard);

function planOf(trigger: PendingTrigger, planned: readonly PlannedDelivery[]): Plan {
  const { tenantId, id: triggerId, alertId, kind } = trigger;
  const common = { tenantId, triggerId, alertId, kind, lifetimeMs: RETRY.expiresAfterMs, body: null, first: null };
  return { trigger, deliveries: planned.map((each) => ({ ...common, ...each, id: newId() })), silent: silentReason(trigger, planned) };
}

const insertAll = (sql: SqlTx, plans: readonly Plan[]): ReturnType<typeof insertDeliveries> => {
  const deliveries = plans.flatMap((plan) => plan.deliveries);
  return deliveries.length > 0 ? insertDeliveries(sql, deliveries) : Promise.resolve(new Map());
};

async function finish(sql: SqlTx, plans: readonly Plan[]): Promise<void> {
  await finishTriggers(
    sql,
    plans.map(({ trigger, silent }) => ({ tenantId: trigger.tenantId, triggerId: trigger.id, suppressed: silent })),
  );
  const unsaid = plans.flatMap(({ trigger: { tenantId, alertId, kind }, deliveries, silent }) => {
    const channels = deliveries.flatMap(({ channelKey, suppressed }) =>
      suppressed === null ? [] : { channel: channelKey, reason: suppressed },
    );
    if (channels.length === 0 && (silent === null || silent === 'nobody_asked')) return [];
    return { tenantId, id: newId(), alertId, kind: 'delivery_suppressed', reason: silent, data: { told: kind, channels } };
  });
  if (unsaid.length > 0) await noteOnTimeline(sql, unsaid);
}

function report({ metrics, logger }: AttemptDeps, { trigger, deliveries, silent }: Plan): void {
  const { tenantId, id: triggerId, alertId, kind } = trigger;
  const unsent = deliveries.filter(({ suppressed }) => suppressed !== null);
  for (const { channelKind } of unsent) metrics.notifications.inc({ channel: channelKind, result: 'suppressed' });
  const arrow = `${kind} → ${silent === null ? 'planned' : 'suppressed'}`;
  logger.info({ tenantId, triggerId, alertId, arrow, reason: silent, deliveries: deliveries.length - unsent.length }, 'trigger planned');
}
