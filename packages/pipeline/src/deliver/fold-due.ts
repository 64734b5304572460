import { dueToFold, lockOpenDeliveries, type DeliveryRef, type FoldRef, type OpenDelivery, type SqlTx } from '@tocsin/db';
import { worstMember } from '@tocsin/domain';
import { nextStep } from './next-step.ts';
import { endUnsent, type UnsentDelivery } from './tell-ended.ts';

/** So many are told with one message; what is more makes another. */
const FOLDED_AT_ONCE = 1_000;

/**
 * Makes one message of those that were held back to be told together and are due by now: the delivery of the worst alert tells of all, the others end
 * `suppressed(folded)` and name it. What was tried once is frozen and tells what it told then.
 * Answers those in hand that are over by that, each with what may go now.
 */
export async function foldDue(sql: SqlTx, publicUrl: string | null, inHand: readonly OpenDelivery[]): Promise<Map<string, DeliveryRef[]>> {
  const folding = inHand.filter(isToFold);
  if (folding.length === 0) return new Map();
  const known = new Set(inHand.map(({ id }) => id));
  const refs = await dueToFold(sql, [...new Map(folding.map((each) => [nameOf(each), foldRef(each)])).values()], FOLDED_AT_ONCE);
  const others = refs.filter(({ deliveryId }) => !known.has(deliveryId));
  const locked = others.length === 0 ? [] : (await lockOpenDeliveries(sql, others)).filter(isToFold);
  const folds = [...Map.groupBy([...folding, ...locked], nameOf).values()].map(foldOf);
  const woken = await endUnsent(
    sql,
    publicUrl,
    folds.flatMap(({ over }) => over),
  );
  return new Map(
    folds.flatMap(({ over, leader }) => {
      const next = [
        ...(leader === null || known.has(leader.id) ? [] : [{ tenantId: leader.tenantId, deliveryId: leader.id }]),
        ...over.flatMap(({ delivery }) => woken.get(delivery.id) ?? []),
      ];
      const ours = over.filter(({ delivery }) => known.has(delivery.id));
      return ours.map(({ delivery }, index): [string, DeliveryRef[]] => [delivery.id, index === 0 ? next : []]);
    }),
  );
}

export const isToFold = ({ foldKey, attempts, body, dueInMs, told, channelId }: OpenDelivery): boolean =>
  foldKey !== null && attempts === 0 && body === null && dueInMs <= 0 && told !== null && channelId !== null;

const foldRef = ({ tenantId, channelId, foldKey }: OpenDelivery): FoldRef => ({ tenantId, channelId: channelId!, foldKey: foldKey! });
const nameOf = ({ channelId, foldKey }: OpenDelivery): string => `${channelId} ${foldKey}`;

/** Of what waits under one key. `leader` null: there is nobody to tell together. */
function foldOf(waiting: readonly OpenDelivery[]): { over: UnsentDelivery[]; leader: OpenDelivery | null } {
  // an end that waits for its beginning tells of both
  const intoEnds = waiting.flatMap((delivery) => {
    const step = nextStep(delivery);
    return step.kind === 'fold' ? folded(delivery, step.into) : [];
  });
  const members = tellable(waiting);
  const leader = leaderOf(members);
  if (leader === null) return { over: intoEnds, leader };
  const intoLeader = members.flatMap((delivery) => (delivery === leader ? [] : folded(delivery, leader.id)));
  return { over: [...intoEnds, ...intoLeader], leader };
}

const folded = (delivery: OpenDelivery, foldedInto: string): UnsentDelivery[] => [
  { delivery, status: 'suppressed', reason: 'folded', foldedInto },
];

/** An end is told here only if its beginning was told before, or is told here too. */
function tellable(waiting: readonly OpenDelivery[]): OpenDelivery[] {
  const steps = new Map(waiting.map((delivery) => [delivery, nextStep(delivery).kind]));
  const begun = new Set(
    waiting.flatMap((delivery) =>
      delivery.kind !== 'resolved' && ['send', 'fold'].includes(steps.get(delivery)!) ? delivery.alertId : [],
    ),
  );
  return waiting
    .filter((delivery) => {
      if (delivery.kind !== 'resolved') return steps.get(delivery) === 'send';
      const { alertId, earlierElsewhere, earlierAttempted, tellsEarlier } = delivery;
      return !earlierElsewhere && (earlierAttempted || tellsEarlier || begun.has(alertId));
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
