import type { EpochMs } from '@tocsin/domain';
import type pg from 'pg';
import type { SqlTx } from '../with-tenants.ts';
import { instant } from './segments.ts';

/** What is made of hours: sums of their events, or what a query was worth at each step. */
export type PartialKind = 'partial' | 'history';

export interface PartialKey {
  key: string;
  kind: PartialKind;
  /** What it stands for, for people to look at. */
  query: object;
}

export interface PartialRow {
  hourMs: EpochMs;
  /** Of the hours it was made from, added up. */
  version: number;
  body: Buffer;
}

/** Notes that these are needed, those that are not noted within the hour. */
export async function needPartials(sql: SqlTx, tenantId: string, keys: readonly PartialKey[]): Promise<void> {
  if (keys.length === 0) return;
  await sql`
    insert into partial_keys (tenant_id, key, kind, query)
    select ${tenantId}, key, kind, query::jsonb from unnest(
      ${keys.map(({ key }) => key)}::text[], ${keys.map(({ kind }) => kind)}::text[], ${keys.map(({ query }) => JSON.stringify(query))}::text[]
    ) as needed (key, kind, query)
    where not exists (
      select from partial_keys noted
      where noted.tenant_id = ${tenantId} and noted.key = needed.key and noted.needed_at >= tocsin_now() - interval '1 hour'
    )
    order by key
    on conflict (tenant_id, key) do update set needed_at = tocsin_now()`;
}

/** Keeps what was made of hours, unless something newer is kept or the key is gone. */
export async function storePartials(sql: SqlTx, tenantId: string, rows: readonly (PartialRow & { key: string })[]): Promise<void> {
  if (rows.length === 0) return;
  let end = 1;
  const starts = rows.map(({ body }) => (end += body.length) - body.length);
  await sql`
    insert into partials as known (tenant_id, key, hour_at, version, body)
    select keys.tenant_id, new.key, to_timestamp(hour_ms / 1000), new.version, substring(whole.data from start for length)
    from (select ${Buffer.concat(rows.map(({ body }) => body))}::bytea as data offset 0) whole, unnest(
      ${rows.map(({ key }) => key)}::text[], ${rows.map(({ hourMs }) => hourMs)}::float8[], ${rows.map(({ version }) => version)}::float8[],
      ${starts}::int[], ${rows.map(({ body }) => body.length)}::int[]
    ) as new (key, hour_ms, version, start, length)
    join partial_keys keys on keys.tenant_id = ${tenantId} and keys.key = new.key
    order by new.key, hour_ms
    on conflict (tenant_id, key, hour_at) do update set version = excluded.version, body = excluded.body where known.version < excluded.version`;
}

export interface PartialRange {
  tenantId: string;
  key: string;
  fromMs: EpochMs;
  toMs: EpochMs;
}

/** What is kept of hours that start in the ranges, range by range in any order of hours. */
export async function readPartials(
  client: pg.PoolClient,
  ranges: readonly PartialRange[],
  onRow: (range: PartialRange, row: PartialRow) => void,
): Promise<void> {
  if (ranges.length === 0) return;
  const { rows } = await client.query<PartialRow & { place: number }>(
    `with wanted as materialized (
      select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[]) with ordinality as wanted (tenant_id, key, from_at, to_at, place)
    )
    select wanted.place::int as place, found.* from wanted cross join lateral (
      select hour_at as "hourMs", version, body from partials
      where partials.tenant_id = wanted.tenant_id and partials.key = wanted.key and hour_at >= wanted.from_at and hour_at < wanted.to_at
    ) found`,
    [
      ranges.map(({ tenantId }) => tenantId),
      ranges.map(({ key }) => key),
      ranges.map(({ fromMs }) => instant(fromMs)),
      ranges.map(({ toMs }) => instant(toMs)),
    ],
  );
  for (const { place, ...row } of rows) onRow(ranges[place - 1]!, row);
}

export interface WantedHours {
  key: string;
  fromMs: EpochMs;
  toMs: EpochMs;
  /** How far before its start an hour looks: what was made of it depends on the hours back to there. A multiple of an hour. */
  lookBackMs: number;
}

/** The hours of which nothing valid is kept, newest first, at most so many. */
export async function missingPartials(
  sql: SqlTx,
  tenantId: string,
  wanted: readonly WantedHours[],
  atMost: number,
): Promise<{ key: string; hourMs: EpochMs }[]> {
  if (wanted.length === 0) return [];
  return sql<{ key: string; hourMs: EpochMs }[]>`
    with wanted as materialized (select key, from_ms, to_ms, make_interval(secs => look_back / 1000) as look_back from unnest(
      ${wanted.map(({ key }) => key)}::text[], ${wanted.map(({ fromMs }) => fromMs)}::float8[], ${wanted.map(({ toMs }) => toMs)}::float8[],
      ${wanted.map(({ lookBackMs }) => lookBackMs)}::float8[]
    ) as wanted (key, from_ms, to_ms, look_back))
    select key, hour_at as "hourMs" from wanted cross join lateral (
      select to_timestamp(hour_ms / 1000) as hour_at from generate_series(from_ms::int8, to_ms::int8 - 3600000, 3600000) hour_ms
    ) hours
    where not exists (
      select from partials where partials.tenant_id = ${tenantId} and partials.key = wanted.key and partials.hour_at = hours.hour_at
        and partials.version = (
          select coalesce(sum(hour_versions.version), 0) from hour_versions
          where hour_versions.tenant_id = ${tenantId} and hour_versions.hour_at between hours.hour_at - wanted.look_back and hours.hour_at
        )
    )
    order by hour_at desc, key
    limit ${atMost}`;
}

/** Changes when any hour of the tenant does, with the database's time. */
export async function hoursState(sql: SqlTx, tenantId: string): Promise<{ nowMs: EpochMs; version: number }> {
  const [row] = await sql<{ nowMs: EpochMs; version: number }[]>`
    select tocsin_now() as "nowMs", (select coalesce(sum(version), 0)::int8 from hour_versions where tenant_id = ${tenantId}) as version`;
  return row!;
}
