import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** An event name a tenant has sent, with the dimensions and measures seen on it. */
export interface EventNameRow {
  name: string;
  dims: string[];
  measures: string[];
  firstSeenMs: EpochMs;
  /** Coarse: moves when it is over an hour behind, or with a new field. */
  lastSeenMs: EpochMs;
}

export interface SeenName {
  tenantId: string;
  name: string;
  dims: readonly string[];
  measures: readonly string[];
}

/** Adds names and fields to what is known. In key order, so that two flushes cannot wait for each other. */
export async function upsertEventNames(sql: SqlTx, seen: readonly SeenName[], fieldsPerName: number): Promise<void> {
  if (seen.length === 0) return;
  await sql`
    insert into event_names as known (tenant_id, name, dims, measures)
    select tenant_id, name, array(select jsonb_array_elements_text(dims)), array(select jsonb_array_elements_text(measures))
    from unnest(
      ${seen.map(({ tenantId }) => tenantId)}::uuid[], ${seen.map(({ name }) => name)}::text[],
      ${seen.map(({ dims }) => JSON.stringify(dims))}::text[]::jsonb[], ${seen.map(({ measures }) => JSON.stringify(measures))}::text[]::jsonb[]
    ) as new (tenant_id, name, dims, measures)
    order by tenant_id, name
    on conflict (tenant_id, name) do update set
      last_seen_at = greatest(known.last_seen_at, tocsin_now()),
      dims = array(select distinct unnest(known.dims || excluded.dims) order by 1 limit ${fieldsPerName}),
      measures = array(select distinct unnest(known.measures || excluded.measures) order by 1 limit ${fieldsPerName})`;
}

/** By name. */
export async function listEventNames(sql: SqlTx, tenantId: string): Promise<EventNameRow[]> {
  return sql<EventNameRow[]>`
    select name, dims, measures, first_seen_at as "firstSeenMs", last_seen_at as "lastSeenMs"
    from event_names where tenant_id = ${tenantId} order by name`;
}
