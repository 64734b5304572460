import type { AlertSnapshot, RuleName } from '@tocsin/domain';
import { among } from '../among.ts';
import type { SqlTx } from '../with-tenants.ts';
import type { DeliveryRef } from './open-deliveries.ts';

export interface FoldRef {
  tenantId: string;
  channelId: string;
  foldKey: string;
}

/**
 * Waits for others who make one message of those with the same keys as these deliveries, until the end of the transaction. To be called before the deliveries
 * are locked: who holds some of them and waits for the rest would tell of them apart.
 */
export async function lockFolds(sql: SqlTx, refs: readonly DeliveryRef[]): Promise<void> {
  const ids = refs.map((each) => each.deliveryId);
  await sql`
    select pg_advisory_xact_lock(hashtextextended(name, 0))
    from (
      select distinct d.channel_id || d.fold_key as name
      from unnest(${refs.map((each) => each.tenantId)}::uuid[], ${ids}::uuid[]) as wanted (tenant_id, id)
      join deliveries d on d.tenant_id = wanted.tenant_id and d.id = wanted.id
      where d.fold_key is not null and d.finished_at is null and d.attempts = 0 and ${among(sql, 'd', ids)}
      -- always in this order, so that no two of these wait for each other
      order by 1
    ) folds`;
}

/** Deliveries that are due and were never tried, of those with these keys; at most `limit` a key. Not locked yet. */
export async function dueToFold(sql: SqlTx, folds: readonly FoldRef[], limit: number): Promise<DeliveryRef[]> {
  return sql<DeliveryRef[]>`
    select d.tenant_id as "tenantId", d.id as "deliveryId"
    from unnest(
      ${folds.map((each) => each.tenantId)}::uuid[], ${folds.map((each) => each.channelId)}::uuid[], ${folds.map((each) => each.foldKey)}::text[]
    ) as wanted (tenant_id, channel_id, fold_key)
    cross join lateral (
      select tenant_id, id from deliveries
      where tenant_id = wanted.tenant_id and channel_id = wanted.channel_id and fold_key = wanted.fold_key and status = 'pending'
        and attempts = 0 and next_attempt_at <= tocsin_now()
      order by id
      limit ${limit}
    ) d`;
}

/** What one message tells of beside its own alert, as it was to be told. */
export interface FoldedMember {
  intoId: string;
  deliveryId: string;
  /** Null: it was not held back, but its channel had a message of its alert waiting. */
  foldKey: string | null;
  snapshot: AlertSnapshot;
  rule: RuleName;
  /** Its beginning waited as long as the message; the same of the message's own alert. */
  began: boolean;
  hasLeaderBegun: boolean;
}

/** Oldest first; not what a message tells of its own alert. */
export async function foldedInto(sql: SqlTx, leaders: readonly DeliveryRef[]): Promise<FoldedMember[]> {
  const ids = leaders.map((each) => each.deliveryId);
  const began = (alertOf: 'd' | 'leader') => sql`exists (
    select from deliveries e
    where e.tenant_id = leader.tenant_id and e.alert_id = ${sql(alertOf)}.alert_id and e.channel_id = leader.channel_id
      and e.kind in ('fired', 'no_data') and e.fold_key = leader.fold_key and e.held_until = leader.held_until)`;
  return sql<FoldedMember[]>`
    select d.folded_into as "intoId", d.id as "deliveryId", d.fold_key as "foldKey", triggers.snapshot,
           jsonb_build_object('id', alerts.rule_id, 'key', alerts.rule_key, 'name', alerts.rule_name) as rule,
           ${began('d')} as began, ${began('leader')} as "hasLeaderBegun"
    from unnest(${leaders.map((each) => each.tenantId)}::uuid[], ${ids}::uuid[]) as leaders (tenant_id, id)
    join deliveries leader on leader.tenant_id = leaders.tenant_id and leader.id = leaders.id
    join deliveries d on d.tenant_id = leaders.tenant_id and d.folded_into = leaders.id and d.alert_id <> leader.alert_id
    join triggers on triggers.tenant_id = d.tenant_id and triggers.id = d.trigger_id
    join alerts on alerts.tenant_id = d.tenant_id and alerts.id = d.alert_id
    where ${among(sql, 'd', ids, 'folded_into')}
    order by triggers.created_at, d.id`;
}
