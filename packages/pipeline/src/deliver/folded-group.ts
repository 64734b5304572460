import { foldedInto, type FoldedMember, type OpenDelivery, type SqlTx } from '@tocsin/db';
import type { GroupReason } from '@tocsin/domain';

/** What a message tells of beside its own alert, oldest first. */
export interface FoldedGroup {
  members: FoldedMember[];
  reason: GroupReason;
}

/** By the id of the delivery that tells of them; of one that tells of its own alert alone nothing. */
export async function groupsOf(sql: SqlTx, leaders: readonly Pick<OpenDelivery, 'tenantId' | 'id'>[]): Promise<Map<string, FoldedGroup>> {
  if (leaders.length === 0) return new Map();
  const members = await foldedInto(
    sql,
    leaders.map(({ tenantId, id }) => ({ tenantId, deliveryId: id })),
  );
  return new Map(
    [...Map.groupBy(members, ({ intoId }) => intoId)].map(([id, of]) => [
      id,
      { members: of, reason: of.some(({ foldKey }) => foldKey === 'channel') ? 'storm' : 'group' },
    ]),
  );
}
