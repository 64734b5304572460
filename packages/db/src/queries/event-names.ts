import type { EpochMs, LagCounts } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** An event name a tenant has sent, with the dimensions and measures seen on it. */
export interface EventNameRow {
  name: string;
  dims: string[];
  measures: string[];
  firstSeenMs: EpochMs;
  /** Coarse: moves when it is over an hour behind, or with a new field. */
  lastSeenMs: EpochMs;
  /** How late its events come; null: not measured yet. */
  lag: LagCounts | null;
}

export interface SeenName {
  tenantId: string;
  name: string;
  dims: readonly string[];
  measures: readonly string[];
}

/**
 * Adds names and fields to what is known, and answers which names are known now: new ones beyond `namesPerTenant` are left out.
 * In key order, so that two flushes cannot wait for each other.
 */
export async function upsertEventNames(
  sql: SqlTx,
  seen: readonly SeenName[],
  { namesPerTenant, fieldsPerName }: { namesPerTenant: number; fieldsPerName: number },
): Promise<Pick<SeenName, 'tenantId' | 'name'>[]> {
  if (seen.length === 0) return [];
  const tenants = [...new Set(seen.map(({ tenantId }) => tenantId))];
  return sql<Pick<SeenName, 'tenantId' | 'name'>[]>`
    with new as (
      select tenant_id, name, array(select jsonb_array_elements_text(dims)) as dims, array(select jsonb_array_elements_text(measures)) as measures,
             exists (select from event_names old where old.tenant_id = offered.tenant_id and old.name = offered.name) as is_known
      from unnest(
        ${seen.map(({ tenantId }) => tenantId)}::uuid[], ${seen.map(({ name }) => name)}::text[],
        ${seen.map(({ dims }) => JSON.stringify(dims))}::text[]::jsonb[], ${seen.map(({ measures }) => JSON.stringify(measures))}::text[]::jsonb[]
      ) as offered (tenant_id, name, dims, measures)
    ),
    held as (select tenant_id, count(*) as names from event_names where tenant_id = any(${tenants}::uuid[]) group by tenant_id),
    placed as (
      select new.*, coalesce(held.names, 0) + row_number() over (partition by tenant_id, is_known order by name) as place
      from new left join held using (tenant_id)
    )
    insert into event_names as known (tenant_id, name, dims, measures)
    select tenant_id, name, dims, measures from placed where is_known or place <= ${namesPerTenant}
    order by tenant_id, name
    on conflict (tenant_id, name) do update set
      last_seen_at = greatest(known.last_seen_at, tocsin_now()),
      dims = array(select distinct unnest(known.dims || excluded.dims) order by 1 limit ${fieldsPerName}),
      measures = array(select distinct unnest(known.measures || excluded.measures) order by 1 limit ${fieldsPerName})
    returning tenant_id as "tenantId", name`;
}

/** By name. */
export async function listEventNames(sql: SqlTx, tenantId: string): Promise<EventNameRow[]> {
  return sql<EventNameRow[]>`
    select name, dims, measures, first_seen_at as "firstSeenMs", last_seen_at as "lastSeenMs", to_jsonb(lag) as lag
    from event_names where tenant_id = ${tenantId} order by name`;
}
