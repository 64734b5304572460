import {
  dueToFold,
  endDeliveries,
  foldedInto,
  lockOpenDeliveries,
  type DeliveryRef,
  type FoldRef,
  type OpenDelivery,
  type SqlTx,
} from '@tocsin/db';
import { worstMember, type GroupMember, type GroupReason } from '@tocsin/domain';
import { nextStep } from './next-step.ts';
import { tellEnded } from './tell-ended.ts';

/** So many are told with one message; what is more makes another. */
const FOLDED_AT_ONCE = 1_000;

/** What a message tells of beside its own alert, oldest first. */
export interface FoldedGroup {
  members: GroupMember[];
  reason: GroupReason;
}

export interface FoldedDue {
  /** Deliveries that are over, because another one tells of them. */
  folded: { delivery: OpenDelivery; into: string }[];
  /** By the id of the delivery that tells of them. */
  groups: ReadonlyMap<string, FoldedGroup>;
  /** Deliveries that are due and not in hand, and go by themselves or tell of others. */
  leaders: DeliveryRef[];
  woken: DeliveryRef[];
}

/**
 * Makes one message of those that were held back to be told together and are due by now: the delivery of the worst alert tells of all, the others end
 * `suppressed(folded)` and name it. A beginning whose end waits too is told by that one, all of them at once, so that these ends can be told together in
 * turn. What was tried once is frozen and tells what it told then.
 */
export async function foldDue(sql: SqlTx, publicUrl: string | null, inHand: readonly OpenDelivery[]): Promise<FoldedDue> {
  const folding = inHand.filter(isToFold);
  if (folding.length === 0) return { folded: [], groups: new Map(), leaders: [], woken: [] };
  const known = new Map(inHand.map((delivery) => [delivery.id, delivery]));
  const refs = await dueToFold(sql, [...new Map(folding.map((each) => [nameOf(each), foldRef(each)])).values()], FOLDED_AT_ONCE);
  const others = refs.filter(({ deliveryId }) => !known.has(deliveryId));
  const locked = others.length === 0 ? [] : (await lockOpenDeliveries(sql, others)).filter(isToFold);

  const folded: FoldedDue['folded'] = [];
  const leaders: DeliveryRef[] = [];
  for (const waiting of Map.groupBy([...folding, ...locked], nameOf).values()) {
    for (const delivery of waiting) {
      const step = nextStep(delivery);
      if (step.kind === 'fold') folded.push({ delivery, into: step.into });
    }
    const members = tellable(waiting);
    const leader = leaderOf(members);
    if (leader === null) continue;
    for (const delivery of members) if (delivery !== leader) folded.push({ delivery, into: leader.id });
    if (!known.has(leader.id)) leaders.push({ tenantId: leader.tenantId, deliveryId: leader.id });
  }
  const ended = folded.map(({ delivery, into }) => ({
    delivery,
    tenantId: delivery.tenantId,
    deliveryId: delivery.id,
    status: 'suppressed' as const,
    reason: 'folded',
    attempts: 0,
    foldedInto: into,
  }));
  if (ended.length > 0) await endDeliveries(sql, ended);
  const woken = await tellEnded(sql, publicUrl, ended);
  return { folded, groups: await groupsOf(sql, folding, folded), leaders, woken: [...woken.values()].flat() };
}

const isToFold = ({ foldKey, attempts, body, dueInMs, told, channelId }: OpenDelivery): boolean =>
  foldKey !== null && attempts === 0 && body === null && dueInMs <= 0 && told !== null && channelId !== null;

const foldRef = ({ tenantId, channelId, foldKey }: OpenDelivery): FoldRef => ({ tenantId, channelId: channelId!, foldKey: foldKey! });
const nameOf = ({ channelId, foldKey }: OpenDelivery): string => `${channelId} ${foldKey}`;

/** An end is told here only if its beginning was told before, or is told with it or here too. */
function tellable(waiting: readonly OpenDelivery[]): OpenDelivery[] {
  const beginning = new Set(waiting.filter(({ kind }) => kind !== 'resolved').map(({ alertId }) => alertId));
  return waiting
    .filter((delivery) => {
      if (delivery.kind !== 'resolved') return nextStep(delivery).kind === 'send';
      return !delivery.earlierElsewhere && (delivery.earlierAttempted || delivery.tellsEarlier || beginning.has(delivery.alertId));
    })
    .toSorted((a, b) => a.told!.createdMs - b.told!.createdMs || (a.id < b.id ? -1 : 1));
}

/** What the worst alert said last. Null: there is nobody to tell together. */
function leaderOf(members: readonly OpenDelivery[]): OpenDelivery | null {
  if (members.length < 2) return null;
  const last = [...new Map(members.map((delivery) => [delivery.alertId, delivery])).values()];
  const worst = worstMember(last.map(({ told }) => told!));
  return last.find(({ told }) => told!.snapshot.id === worst.snapshot.id)!;
}

/** Of those in hand that go on, whatever they tell of, now or since before. An end that tells its own beginning alone is no group. */
async function groupsOf(sql: SqlTx, folding: readonly OpenDelivery[], folded: FoldedDue['folded']): Promise<Map<string, FoldedGroup>> {
  const over = new Set(folded.map(({ delivery }) => delivery.id));
  const left = folding.filter(({ id }) => !over.has(id));
  const members = await foldedInto(
    sql,
    left.map(({ tenantId, id }) => ({ tenantId, deliveryId: id })),
  );
  const byLeader = Map.groupBy(members, ({ intoId }) => intoId);
  return new Map(
    left.flatMap(({ id, alertId, foldKey }): [string, FoldedGroup][] => {
      const of = byLeader.get(id);
      return of === undefined || of.every(({ snapshot }) => snapshot.id === alertId)
        ? []
        : [[id, { members: of, reason: foldKey === 'channel' ? 'storm' : 'group' }]];
    }),
  );
}
