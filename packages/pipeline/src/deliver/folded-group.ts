import { foldedInto, type FoldedMember, type OpenDelivery, type SqlTx } from '@tocsin/db';
import { laterReasonOf, type GroupReason } from '@tocsin/domain';

/** What a message tells of beside its own alert, oldest first. */
export interface FoldedGroup {
  members: FoldedMember[];
  reason: GroupReason;
  /** How many of the alerts, with the message's own, began while they waited for quiet hours or a digest; undefined: they did not wait for these. */
  began: number | undefined;
}

/** By the id of the delivery that tells of them; of one that tells of its own alert alone nothing. */
export async function groupsOf(sql: SqlTx, leaders: readonly Pick<OpenDelivery, 'tenantId' | 'id'>[]): Promise<Map<string, FoldedGroup>> {
  if (leaders.length === 0) return new Map();
  const members = await foldedInto(
    sql,
    leaders.map(({ tenantId, id }) => ({ tenantId, deliveryId: id })),
  );
  return new Map([...Map.groupBy(members, ({ intoId }) => intoId)].map(([id, of]) => [id, groupFrom(of)]));
}

function groupFrom(members: FoldedMember[]): FoldedGroup {
  const later = members.map(({ foldKey }) => laterReasonOf(foldKey)).find((reason) => reason !== null);
  if (later === undefined)
    return { members, reason: members.some(({ foldKey }) => foldKey === 'channel') ? 'storm' : 'group', began: undefined };
  const begun = new Set(members.flatMap(({ began, snapshot }) => (began ? snapshot.id : [])));
  return { members, reason: later, began: begun.size + (members[0]?.hasLeaderBegun === true ? 1 : 0) };
}
