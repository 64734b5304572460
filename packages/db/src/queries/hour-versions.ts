import type { EpochMs } from '@tocsin/domain';
import type pg from 'pg';
import type { SqlTx } from '../with-tenants.ts';
import { instant, type SegmentRange } from './segments.ts';

/** The version of each hour that has one, by its start; the others are at 0. */
export type HourVersions = ReadonlyMap<EpochMs, number>;

/**
 * Raises the versions of those of these hours that are over. To be called by the transaction that stores events of them: whoever sees one sees the
 * other. In key order, so that two flushes cannot wait for each other.
 */
export async function bumpHours(sql: SqlTx, hours: readonly { tenantId: string; hourMs: EpochMs }[]): Promise<void> {
  if (hours.length === 0) return;
  await sql`
    insert into hour_versions as known (tenant_id, hour_at)
    select tenant_id, hour_at from (
      select tenant_id, to_timestamp(hour_ms / 1000) as hour_at from unnest(
        ${hours.map(({ tenantId }) => tenantId)}::uuid[], ${hours.map(({ hourMs }) => hourMs)}::float8[]
      ) as late (tenant_id, hour_ms)
    ) late
    where hour_at + interval '1 hour' <= tocsin_now()
    order by tenant_id, hour_at
    on conflict (tenant_id, hour_at) do update set version = known.version + 1`;
}

/** The versions of all hours that start in a tenant's range, by tenant, and the database's time. A tenant has one range. */
export async function readHourVersions(
  client: pg.PoolClient,
  ranges: readonly SegmentRange[],
): Promise<{ nowMs: EpochMs; versions: Map<string, Map<EpochMs, number>> }> {
  const { rows } = await client.query<{ nowMs: EpochMs; tenantId: string | null; hours: EpochMs[]; versions: number[] }>(
    `with wanted as materialized (
      select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) as wanted (tenant_id, from_at, to_at)
    )
    select tocsin_now() as "nowMs", null::uuid as "tenantId", null::float8[] as hours, null::float8[] as versions
    union all
    select null, wanted.tenant_id, found.hours, found.versions from wanted cross join lateral (
      select array_agg(extract(epoch from hour_at)::float8 * 1000) as hours, array_agg(version::float8) as versions from hour_versions
      where hour_versions.tenant_id = wanted.tenant_id and hour_at >= wanted.from_at and hour_at < wanted.to_at
    ) found where found.hours is not null`,
    [ranges.map(({ tenantId }) => tenantId), ranges.map(({ fromMs }) => instant(fromMs)), ranges.map(({ toMs }) => instant(toMs))],
  );
  const versions = new Map(ranges.map(({ tenantId }) => [tenantId, new Map<EpochMs, number>()]));
  for (const { tenantId, hours, versions: each } of rows) {
    if (tenantId !== null) for (const [place, hourMs] of hours.entries()) versions.get(tenantId)!.set(hourMs, each[place]!);
  }
  return { nowMs: rows[0]!.nowMs, versions };
}
