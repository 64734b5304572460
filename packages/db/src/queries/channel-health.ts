import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';
import type { ChannelRef } from './dead-notices.ts';

export interface ChannelUse extends ChannelRef {
  /** Null: the message arrived. */
  lastError: string | null;
  /** Whether a failure says something of the channel: one that was asked to come later, and a test, does not. */
  isCounted: boolean;
}

/** A channel whose last attempts failed, or that has just come back. */
export interface ChannelHealth extends ChannelRef {
  key: string;
  /** In a row. */
  failures: number;
  /** Of the first of them; null: the last one arrived. */
  failingSinceMs: EpochMs | null;
  /** `failing`: this failure is the one at which people are told; `working`: people were told that it fails, and now it does not. */
  turned: 'failing' | 'working' | null;
}

interface Used extends ChannelUse {
  hasDelivered: boolean;
  /** Since then. */
  failed: number;
}

/** Of each channel what its uses come to, in the order given. */
function usedOnce(uses: readonly ChannelUse[]): Used[] {
  const used = new Map<string, Used>();
  for (const use of uses) {
    const before = used.get(use.channelId);
    const hasArrived = use.lastError === null;
    const failed = hasArrived ? 0 : (before?.failed ?? 0) + (use.isCounted ? 1 : 0);
    used.set(use.channelId, { ...use, failed, hasDelivered: hasArrived || (before?.hasDelivered ?? false) });
  }
  return [...used.values()];
}

/**
 * Notes sends on their channels. A busy channel's row is written once a second at most, unless what there is to say changed. Answers the channels
 * that fail, and those that had and do no more; of one that went on working nothing.
 * @param failingAfter so many failures in a row make a channel a failing one
 */
export async function noteChannelUses(sql: SqlTx, uses: readonly ChannelUse[], failingAfter: number): Promise<ChannelHealth[]> {
  const used = usedOnce(uses);
  return sql<ChannelHealth[]>`
    with used as (
      select * from unnest(
        ${used.map((use) => use.tenantId)}::uuid[], ${used.map((use) => use.channelId)}::uuid[], ${used.map((use) => use.lastError)}::text[],
        ${used.map((use) => (use.hasDelivered ? 1 : 0))}::int[], ${used.map((use) => use.failed)}::int[]
      ) as used (tenant_id, id, last_error, delivered, failed)
    ), was as materialized (
      -- always in this order, so that no two of these wait for each other
      select c.tenant_id, c.id, used.last_error, used.delivered = 1 as has_delivered, c.failing_told_at as told_at,
             case when used.delivered = 1 then used.failed else c.failures + used.failed end as failures
      from used join channels c on c.tenant_id = used.tenant_id and c.id = used.id
      where c.last_used_at is null or c.last_used_at < tocsin_now() - interval '1 second' or c.last_error is distinct from used.last_error
        or used.failed > 0 or c.failures > 0
      order by c.tenant_id, c.id
      for no key update of c
    ), noted as (
      update channels c
      set last_used_at = tocsin_now(), last_error = was.last_error, failures = was.failures,
          last_delivered_at = case when was.has_delivered then tocsin_now() else c.last_delivered_at end,
          failing_since = case when was.failures = 0 then null when was.has_delivered then tocsin_now() else coalesce(c.failing_since, tocsin_now()) end,
          failing_told_at = case
            when was.failures >= ${failingAfter} and (was.has_delivered or was.told_at is null) then tocsin_now()
            when was.has_delivered then null else c.failing_told_at end
      from was where c.tenant_id = was.tenant_id and c.id = was.id
      returning c.tenant_id, c.id, c.key, c.failures, c.failing_since, was.has_delivered, was.told_at
    )
    select tenant_id as "tenantId", id as "channelId", key, failures, failing_since as "failingSinceMs",
           case when failures >= ${failingAfter} and (has_delivered or told_at is null) then 'failing'
                when has_delivered and told_at is not null then 'working' end as turned
    from noted where failures > 0 or (has_delivered and told_at is not null)`;
}
