import { actionChannelKey } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';
import { channelToPlan, type ChannelToPlan } from './channels-for-delivery.ts';

export interface ChannelRef {
  tenantId: string;
  channelId: string;
}

/** Marks that people are being told that these channels are not reached; answers those of which they were not told for so long. */
export async function claimDeadNotices(sql: SqlTx, channels: readonly ChannelRef[], quietMs: number): Promise<ChannelRef[]> {
  return sql<ChannelRef[]>`
    with due as materialized (
      -- always in this order, so that no two of these wait for each other
      select c.tenant_id, c.id
      from unnest(${channels.map((each) => each.tenantId)}::uuid[], ${channels.map((each) => each.channelId)}::uuid[]) as failing (tenant_id, id)
      join channels c on c.tenant_id = failing.tenant_id and c.id = failing.id
      where c.dead_told_at is null or c.dead_told_at <= tocsin_now() - make_interval(secs => ${quietMs}::float8 / 1000)
      order by c.tenant_id, c.id
      for no key update of c
    )
    update channels c set dead_told_at = tocsin_now()
    from due where c.tenant_id = due.tenant_id and c.id = due.id
    returning c.tenant_id as "tenantId", c.id as "channelId"`;
}

/** For each of these channels another of its tenant that leads out of the product and worked last; none where there is no such one. */
export async function channelsInstead(sql: SqlTx, failing: readonly ChannelRef[]): Promise<(ChannelToPlan & { insteadOf: string })[]> {
  return sql<(ChannelToPlan & { insteadOf: string })[]>`
    select failing.id as "insteadOf", ${channelToPlan(sql, 'other')}
    from unnest(${failing.map((each) => each.tenantId)}::uuid[], ${failing.map((each) => each.channelId)}::uuid[]) as failing (tenant_id, id)
    cross join lateral (
      select * from channels c
      where c.tenant_id = failing.tenant_id and c.id <> failing.id and c.enabled and c.last_error is null and c.kind <> 'inbox' and c.key not like ${actionChannelKey('%')}
      order by c.last_used_at desc nulls last, c.id
      limit 1
    ) other`;
}
