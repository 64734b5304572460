import type { LagCounts } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** Counts are halved with every so many seconds of their age: of a day ago an eighth is left. */
const HALF_LIFE_S = 8 * 3_600;
/** Enough halvings to be nothing, and no fewer digits than a number has. */
const MOST_HALVINGS = 60;
const NOTHING = 0.001;

export interface EventLag {
  tenantId: string;
  name: string;
  /** Newly measured, one a bucket. */
  counts: LagCounts;
}

/**
 * Adds what was measured to what all processes measured before, which has aged. Answers the names it was added to: one that is not in the
 * catalogue, or in the hands of another flush, is left out.
 */
export async function addEventLags(sql: SqlTx, lags: readonly EventLag[]): Promise<Pick<EventLag, 'tenantId' | 'name'>[]> {
  return sql<Pick<EventLag, 'tenantId' | 'name'>[]>`
    with measured as (
      select known.tenant_id, known.name, array(select jsonb_array_elements_text(given.counts)::float8) as counts,
        power(0.5, least(${MOST_HALVINGS}::float8, greatest(0, extract(epoch from tocsin_now() - known.lag_at)::float8 / ${HALF_LIFE_S}::float8))) as left_over
      from unnest(
        ${lags.map(({ tenantId }) => tenantId)}::uuid[], ${lags.map(({ name }) => name)}::text[],
        ${lags.map(({ counts }) => JSON.stringify(counts))}::text[]::jsonb[]
      ) as given (tenant_id, name, counts)
      join event_names known on known.tenant_id = given.tenant_id and known.name = given.name
      for update of known skip locked
    )
    update event_names known
    set lag_at = tocsin_now(), lag = array(
      select case when events < ${NOTHING}::float8 then 0 else events end
      from (
        select coalesce(older * left_over, 0) + coalesce(newer, 0) as events, place
        from unnest(known.lag, measured.counts) with ordinality as bucket (older, newer, place)
      ) merged
      order by place
    )
    from measured
    where known.tenant_id = measured.tenant_id and known.name = measured.name
    returning known.tenant_id as "tenantId", known.name`;
}

/** How late the events of each name come, by tenant; names that were not measured are absent. */
export async function readEventLags(sql: SqlTx, tenantIds: readonly string[]): Promise<Map<string, Map<string, LagCounts>>> {
  const rows = await sql<{ tenantId: string; name: string; lag: LagCounts }[]>`
    select tenant_id as "tenantId", name, to_jsonb(lag) as lag from event_names
    where tenant_id = any(${tenantIds as string[]}::uuid[]) and lag is not null`;
  const byTenant = new Map<string, Map<string, LagCounts>>(tenantIds.map((tenantId) => [tenantId, new Map()]));
  for (const { tenantId, name, lag } of rows) byTenant.get(tenantId)?.set(name, lag);
  return byTenant;
}
