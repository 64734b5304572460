import {
  channelsByKey,
  channelsOfAlerts,
  finishTriggers,
  insertDeliveries,
  lockPendingTriggers,
  lockSilencesUntilResolved,
  lockWindowsOfRules,
  newId,
  noteOnTimeline,
  setUnsilenceTimers,
  silencedNow,
  withTenantsSql,
  runbookActionsOf,
  type ActionToPlan,
  type DeliveryRef,
  type NewDelivery,
  type PendingTrigger,
  type SqlTx,
  type TriggerRef,
} from '@tocsin/db';
import { isActionChannel, RETRY } from '@tocsin/domain';
import type { AttemptDeps } from '../deliver/delivery-deps.ts';
import type { Prepared } from '../deliver/prepare.ts';
import { endWhatWasMuted } from './end-what-was-muted.ts';
import { firstAttempts, type FirstAttempts } from './first-attempts.ts';
import { holdBack, type Sendable } from './hold-back.ts';
import { overtake, tellLater, toldLaterOf } from './tell-later.ts';
import { withActions } from './with-actions.ts';
import { startEscalations } from './start-escalations.ts';
import { linkAlerts } from './link-alerts.ts';
import { knownMutes, LOOK_AGAIN_MS, type KnownMutes } from './known-mutes.ts';
import { plan, type Plan } from './plan-deliveries.ts';

export interface PlannedTriggers {
  /** Leased with their planning: to be sent at once. */
  prepared: Prepared[];
  /** To be sent as soon as may be. */
  toSend: DeliveryRef[];
  /** To be sent when others are told with them. */
  later: { ref: DeliveryRef; inMs: number; foldName: string }[];
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
      const ends = triggers.filter(({ kind }) => kind === 'resolved');
      const silences = ends.length === 0 ? [] : await lockSilencesUntilResolved(sql, tenantsOf(ends));
      const made = await planAll(sql, triggers, first, deps.publicUrl);
      if (made.length > 0) await finish(sql, made);
      await startEscalations(sql, made);
      await linkAlerts(sql, triggers);
      if (ends.length > 0) await endWhatWasMuted(sql, ends, silences);
      return made;
    });
    plans.forEach((each) => report(deps, each));
    const prepared = first.prepared();
    const begun = new Set(prepared.map(({ delivery }) => delivery.id));
    const waiting = sendableOf(plans).filter(({ delivery }) => !begun.has(delivery.id));
    return {
      prepared,
      toSend: waiting.flatMap(({ delivery }) => (delivery.hold === undefined ? [refOf(delivery)] : [])),
      later: waiting.flatMap(({ delivery }) =>
        delivery.hold === undefined
          ? []
          : [{ ref: refOf(delivery), inMs: delivery.hold.byMs, foldName: `${delivery.channelId} ${delivery.hold.foldKey}` }],
      ),
    };
  } catch (error) {
    first.giveUp();
    throw error;
  }
}

interface PlannedTrigger extends Plan {
  trigger: PendingTrigger;
  deliveries: (Plan['deliveries'][number] & NewDelivery)[];
}

const toPlan = (trigger: PendingTrigger) => ({ ...trigger, ruleKey: trigger.told.rule.key });

const tenantsOf = (triggers: readonly PendingTrigger[]): string[] => [...new Set(triggers.map(({ tenantId }) => tenantId))];

/** What is known beside the triggers. */
interface Beside {
  known: KnownMutes;
  actions: readonly ActionToPlan[];
  publicUrl: string | null;
}

/** Who hears of an end, that somebody has it, or of what is not muted any more, is known once what came before is planned. */
async function planAll(
  sql: SqlTx,
  triggers: readonly PendingTrigger[],
  first: FirstAttempts,
  publicUrl: string | null,
): Promise<PlannedTrigger[]> {
  const [ends, others] = [triggers.filter(({ kind }) => kind === 'resolved'), triggers.filter(({ kind }) => kind !== 'resolved')];
  const telling = await withOwnSilences(sql, others);
  const known = await knownMutes(sql, telling.map(toPlan), { keep: true });
  const actions = triggers.length === 0 ? [] : await runbookActionsOf(sql, tenantsOf(triggers));
  const followsOthers = ({ kind }: PendingTrigger): boolean => kind === 'unsilenced' || kind === 'acknowledged';
  const [followers, news] = [telling.filter(followsOthers), telling.filter((trigger) => !followsOthers(trigger))];
  const isMixed = news.length > 0 && news.length < triggers.length;
  if (isMixed)
    await lockWindowsOfRules(
      sql,
      triggers.map(({ tenantId, told }) => ({ tenantId, ruleId: told.rule.id })),
    );
  const beside = { known, actions, publicUrl };
  return [
    ...(await planNews(sql, news, beside, first)),
    ...(await planForHeard(sql, followers, beside)),
    ...(await planForHeard(sql, ends, beside)),
  ];
}

/** With the silences of alerts alone as they are now: people may have changed one while its trigger was waited for. */
async function withOwnSilences(sql: SqlTx, triggers: readonly PendingTrigger[]): Promise<PendingTrigger[]> {
  const silenced = triggers.filter(({ silencedUntilMs, nowMs }) => silencedUntilMs !== null && silencedUntilMs > nowMs);
  if (silenced.length === 0) return [...triggers];
  const now = new Map((await silencedNow(sql, silenced)).map(({ alertId, untilMs }) => [alertId, untilMs]));
  return triggers.map((trigger) => ({ ...trigger, silencedUntilMs: now.get(trigger.alertId) ?? null }));
}

async function planNews(
  sql: SqlTx,
  triggers: readonly PendingTrigger[],
  { known, actions, publicUrl }: Beside,
  first: FirstAttempts,
): Promise<PlannedTrigger[]> {
  if (triggers.length === 0) return [];
  const wanted = triggers.flatMap(({ tenantId, notify }) => (notify ?? []).map(({ channel }) => ({ tenantId, key: channel })));
  const routed = tenantsOf(triggers).flatMap((tenantId) =>
    known(tenantId).routes.flatMap((route) => route.channels.map(({ channel }) => ({ tenantId, key: channel }))),
  );
  const byTenant = Map.groupBy(await channelsByKey(sql, [...wanted, ...routed]), ({ tenantId }) => tenantId);
  const plans = triggers.map((trigger) => {
    const channels = byTenant.get(trigger.tenantId) ?? [];
    const tenant = { ...known(trigger.tenantId), actions, channels, heard: [] };
    return planOf(trigger, withActions(trigger, plan(toPlan(trigger), tenant), tenant));
  });
  first.started(
    await insertWhenDue(sql, plans, publicUrl, (sendable) => {
      for (const { trigger, delivery } of sendable) {
        const channel = byTenant.get(trigger.tenantId)?.find(({ id }) => id === delivery.channelId);
        if (delivery.hold === undefined && channel !== undefined) Object.assign(delivery, first.begin(trigger, delivery, channel));
      }
    }),
  );
  return plans;
}

/** For those who have heard of an alert before, or would have. */
async function planForHeard(
  sql: SqlTx,
  triggers: readonly PendingTrigger[],
  { known, actions, publicUrl }: Beside,
): Promise<PlannedTrigger[]> {
  if (triggers.length === 0) return [];
  const heard = Map.groupBy(await channelsOfAlerts(sql, triggers), ({ alertId }) => alertId);
  const plans = triggers.map((trigger) => {
    const all = heard.get(trigger.alertId) ?? [];
    // an action is called by what it hangs on, not by what it has heard; what was muted is made up for either way
    const people = trigger.kind === 'unsilenced' ? all : all.filter(({ key }) => !isActionChannel(key));
    const tenant = { ...known(trigger.tenantId), channels: [] };
    return planOf(trigger, withActions(trigger, plan(toPlan(trigger), { ...tenant, heard: people }), { ...tenant, actions, heard: all }));
  });
  await insertWhenDue(sql, plans, publicUrl);
  return plans;
}

/**
 * Decides what waits, for people who are not to be disturbed or to be told with others, and writes it all down.
 * @param begin what goes at once may begin before
 */
async function insertWhenDue(
  sql: SqlTx,
  plans: readonly PlannedTrigger[],
  publicUrl: string | null,
  begin: (sendable: readonly Sendable[]) => void = () => undefined,
): ReturnType<typeof insertDeliveries> {
  const sendable = sendableOf(plans);
  const channels = await toldLaterOf(sql, sendable);
  const soon = tellLater(sendable, channels);
  await holdBack(sql, soon);
  begin(soon);
  const begun = await insertAll(sql, plans);
  if (channels.size > 0) await overtake(sql, publicUrl, sendable, channels);
  return begun;
}

const refOf = ({ tenantId, id }: NewDelivery): DeliveryRef => ({ tenantId, deliveryId: id });

const sendableOf = (plans: readonly PlannedTrigger[]): Sendable[] =>
  plans.flatMap(({ trigger, deliveries }) =>
    deliveries.flatMap((delivery) => (delivery.suppressed === null ? [{ trigger, delivery }] : [])),
  );

function planOf(trigger: PendingTrigger, { deliveries, ...rest }: Plan): PlannedTrigger {
  const { tenantId, id: triggerId, alertId, kind } = trigger;
  const common = { tenantId, triggerId, alertId, kind, lifetimeMs: RETRY.expiresAfterMs, body: null, first: null };
  return { ...rest, trigger, deliveries: deliveries.map((each) => ({ ...common, ...each, id: newId() })) };
}

const insertAll = (sql: SqlTx, plans: readonly PlannedTrigger[]): ReturnType<typeof insertDeliveries> => {
  const deliveries = plans.flatMap((each) => each.deliveries);
  return deliveries.length > 0 ? insertDeliveries(sql, deliveries) : Promise.resolve(new Map());
};

async function finish(sql: SqlTx, plans: readonly PlannedTrigger[]): Promise<void> {
  await finishTriggers(
    sql,
    plans.map(({ trigger, silent }) => ({ tenantId: trigger.tenantId, triggerId: trigger.id, suppressed: silent })),
  );
  const unsaid = plans.flatMap(({ trigger: { tenantId, alertId, kind }, deliveries, silent }) => {
    const channels = deliveries.flatMap(({ channelKey, suppressed, suppressedBy }) =>
      suppressed === null ? [] : { channel: channelKey, reason: suppressed, ...(suppressedBy === null ? {} : { by: suppressedBy }) },
    );
    if (channels.length === 0 && (silent === null || silent === 'nobody_asked')) return [];
    return { tenantId, id: newId(), alertId, kind: 'delivery_suppressed', reason: silent, data: { told: kind, channels } };
  });
  if (unsaid.length > 0) await noteOnTimeline(sql, unsaid);
  const timers = plans.flatMap(({ trigger: { tenantId, alertId, nowMs }, muted }) =>
    muted === null ? [] : { tenantId, id: newId(), alertId, dueMs: muted.untilMs ?? nowMs + LOOK_AGAIN_MS, waitsFor: muted.by },
  );
  if (timers.length > 0) await setUnsilenceTimers(sql, timers);
}

function report({ metrics, logger }: AttemptDeps, { trigger, deliveries, silent }: PlannedTrigger): void {
  const { tenantId, id: triggerId, alertId, kind } = trigger;
  const unsent = deliveries.filter(({ suppressed }) => suppressed !== null);
  for (const { channelKind } of unsent) metrics.notifications.inc({ channel: channelKind, result: 'suppressed' });
  const arrow = `${kind} → ${silent === null ? 'planned' : 'suppressed'}`;
  logger.info({ tenantId, triggerId, alertId, arrow, reason: silent, deliveries: deliveries.length - unsent.length }, 'trigger planned');
}
