import { channelOf, type Channel } from '@tocsin/channels';
import {
  type ChannelToSend,
  leaseDeliveries,
  lockFolds,
  lockOpenDeliveries,
  newId,
  postponeDeliveries,
  withTenantsSql,
  type DeliveryRef,
  type NewAttempt,
  type OpenDelivery,
} from '@tocsin/db';
import { LEASE_MS } from '../while-leased.ts';
import type { AttemptDeps } from './delivery-deps.ts';
import { foldDue, isToFold } from './fold-due.ts';
import { groupsOf, type FoldedGroup } from './folded-group.ts';
import type { Place } from './lanes.ts';
import { nextStep } from './next-step.ts';
import { notificationOf, type Telling } from './notification-of.ts';
import { endUnsent, type UnsentDelivery } from './tell-ended.ts';

/** What a send needs of its delivery. */
export type Message = Pick<
  OpenDelivery,
  'tenantId' | 'id' | 'alertId' | 'channelKey' | 'channelKind' | 'kind' | 'countedAttempts' | 'told' | 'tenantExternalKey' | 'nowMs'
> & {
  channelId: string;
  channel: ChannelToSend;
};

/** An attempt that is written down and may now be made. */
export interface Prepared {
  kind: 'send';
  delivery: Message;
  channel: Channel;
  token: string;
  attempt: { id: string; number: number; startedMs: number };
  /** Frozen: every attempt sends these bytes. */
  body: string;
  place: Place;
}

export type Preparation =
  | Prepared
  /** Nothing to do now; in so many milliseconds again, null: not by us. */
  | { kind: 'not_now'; againInMs: number | null }
  /** It may be sent, as soon as there is a place for it. */
  | { kind: 'full'; channelId: string }
  /** Finished without sending. `woken` waited for it. */
  | { kind: 'ended'; delivery: OpenDelivery; status: 'dead' | 'suppressed'; reason: string; woken: DeliveryRef[] };

/** `place`: one that was waited for; null: one is taken if there is one. */
export interface Wanted {
  ref: DeliveryRef;
  place: Place | null;
}

/**
 * Leases deliveries that may be sent and writes their attempts down, ends or postpones others, all in one transaction. Answers in the order
 * asked; a place that was brought and is not used is left.
 */
export async function prepare(deps: AttemptDeps, wanted: readonly Wanted[]): Promise<Preparation[]> {
  const taken = new Set<Place>(wanted.flatMap(({ place }) => place ?? []));
  try {
    const preparations = await withTenantsSql(deps.db, tenantsOf(wanted), async (sql) => {
      const refs = wanted.map(({ ref }) => ref);
      await lockFolds(sql, refs);
      const found = await lockOpenDeliveries(sql, refs);
      const folded = await foldDue(sql, deps.publicUrl, found);
      // what is left may tell of others now, or wait for fewer
      const locked = folded.size === 0 ? found : await lockOpenDeliveries(sql, refs);
      const groups = await groupsOf(sql, locked.filter(isToFold));
      const open = new Map([...found.filter(({ id }) => folded.has(id)), ...locked].map((delivery) => [delivery.id, delivery]));
      const decided = wanted.map(({ ref, place }) => {
        const delivery = open.get(ref.deliveryId);
        if (delivery === undefined) return NOT_OURS;
        // asked for twice at once, it is prepared once
        open.delete(ref.deliveryId);
        const next = folded.get(delivery.id);
        if (next !== undefined) return { kind: 'folded' as const, delivery, next };
        const decision = decide(deps, delivery, place, groups.get(delivery.id));
        if (decision.kind === 'send') taken.add(decision.place);
        return decision;
      });

      const toPostpone = decided.flatMap((each) => (each.kind === 'postpone' ? each : []));
      if (toPostpone.length > 0) await postponeDeliveries(sql, toPostpone);
      const woken = await endUnsent(
        sql,
        deps.publicUrl,
        decided.flatMap((each) => (each.kind === 'end' ? each : [])),
      );
      const toLease = decided.flatMap((each) => (each.kind === 'send' ? each.lease : []));
      const attempts = toLease.length > 0 ? await leaseDeliveries(sql, toLease) : new Map<string, never>();

      return decided.map((each): Preparation => {
        if (each.kind === 'postpone') return { kind: 'not_now', againInMs: Math.ceil(each.byMs) };
        if (each.kind === 'end') return { ...each, kind: 'ended', woken: woken.get(each.delivery.id) ?? [] };
        if (each.kind === 'folded')
          return { kind: 'ended', delivery: each.delivery, status: 'suppressed', reason: 'folded', woken: each.next };
        if (each.kind !== 'send') return each;
        const { lease, delivery, channel, place } = each;
        const attempt = attempts.get(lease.deliveryId);
        if (attempt === undefined) throw new Error('a delivery under lock is gone');
        return {
          kind: 'send',
          delivery,
          channel,
          token: lease.token,
          attempt: { id: lease.attemptId, ...attempt },
          body: lease.body,
          place,
        };
      });
    });
    for (const each of preparations) if (each.kind === 'send') taken.delete(each.place);
    return preparations;
  } finally {
    for (const place of taken) place.leave();
  }
}

const tenantsOf = (wanted: readonly Wanted[]): string[] => [...new Set(wanted.map(({ ref }) => ref.tenantId))];

type Decision =
  | { kind: 'send'; delivery: Message; channel: Channel; lease: NewAttempt; place: Place }
  | (UnsentDelivery & { kind: 'end' })
  | { kind: 'postpone'; tenantId: string; deliveryId: string; byMs: number }
  | { kind: 'not_now'; againInMs: number | null }
  | { kind: 'full'; channelId: string };

const NOT_OURS: Decision = { kind: 'not_now', againInMs: null };

/** @param group what it tells of beside its own alert; absent: it tells of that alone */
function decide(deps: AttemptDeps, delivery: OpenDelivery, brought: Place | null, group?: FoldedGroup): Decision {
  const { tenantId, id: deliveryId, channelId, channel } = delivery;
  const end = (status: 'dead' | 'suppressed', reason: string, foldedInto: string | null = null): Decision => ({
    kind: 'end',
    delivery,
    status,
    reason,
    foldedInto,
  });
  const step = nextStep(delivery);
  if (step.kind === 'leave') return NOT_OURS;
  if (step.kind === 'end') return end(step.status, step.reason);
  if (step.kind === 'fold') return end('suppressed', 'folded', step.into);
  if (step.kind === 'wait') {
    if (step.postpone) return { kind: 'postpone', tenantId, deliveryId, byMs: step.inMs };
    return { kind: 'not_now', againInMs: Math.ceil(step.inMs) };
  }
  if (channelId === null || channel === null) throw new Error(`delivery ${deliveryId} is to be sent to no channel`);
  const definition = channelOf(delivery.channelKind);
  if (definition === null) return end('dead', 'unknown_kind');
  const body = delivery.body ?? bodyOf(deps, delivery, definition, group);
  if (body === null) return end('dead', 'unrenderable');
  const place = brought ?? deps.lanes.enter(tenantId, channelId);
  if (place === null) return { kind: 'full', channelId };
  const lease = { tenantId, deliveryId, token: newId(), leaseMs: LEASE_MS, body, attemptId: newId() };
  return { kind: 'send', delivery: { ...delivery, channelId, channel }, channel: definition, lease, place };
}

/** Null: it cannot be put into words, now or ever; a fault of ours. */
export function bodyOf({ publicUrl, logger }: AttemptDeps, delivery: Telling, channel: Channel, group?: FoldedGroup): string | null {
  try {
    return channel.render(notificationOf(delivery, publicUrl, group));
  } catch (error) {
    logger.error({ tenantId: delivery.tenantId, deliveryId: delivery.id, err: error }, 'a message cannot be rendered');
    return null;
  }
}
