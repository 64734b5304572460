import type { EpochMs } from '@tocsin/domain';
import type pg from 'pg';
import type { SqlTx } from '../with-tenants.ts';
import { copyRows, FIELD_HEADER_BYTES } from './copy-rows.ts';

export type SegmentStream = 'events' | 'evaluations';

/** 0 fresh, 1 a compacted minute, 2 a compacted hour. */
export type SegmentLevel = 0 | 1 | 2;

export interface NewSegment {
  tenantId: string;
  id: string;
  stream: SegmentStream;
  level: SegmentLevel;
  /** First event. */
  startsAtMs: EpochMs;
  /** Just after the last event. */
  endsAtMs: EpochMs;
  eventCount: number;
  data: Buffer;
  /** Ids of the segments whose events it holds, deleted in the same transaction. */
  replaces?: readonly string[];
}

/** Where to look for segments: those with anything in `[fromMs, toMs)`. */
export interface SegmentRange {
  tenantId: string;
  fromMs: EpochMs;
  toMs: EpochMs;
}

export interface SegmentKey {
  tenantId: string;
  startsAtMs: EpochMs;
  id: string;
}

export interface SegmentHead extends SegmentKey {
  endsAtMs: EpochMs;
  level: SegmentLevel;
  eventCount: number;
}

/** No segment is longer: compaction joins an hour at most. */
export const LONGEST_SEGMENT_MS = 3_600_000;
export const UUID_BYTES = 16;
const PG_EPOCH_MS = Date.UTC(2000, 0, 1);

/** One statement and one parameter for all the data; an array of bytea would be escaped twice on its way. */
export async function insertSegments(sql: SqlTx, segments: readonly NewSegment[]): Promise<void> {
  if (segments.length === 0) return;
  let end = 1;
  const starts = segments.map(({ data }) => (end += data.length) - data.length);
  await sql`
    insert into segments (tenant_id, starts_at, id, ends_at, stream, level, event_count, data, replaces)
    select tenant_id, to_timestamp(starts_at / 1000), id, to_timestamp(ends_at / 1000), stream, level, event_count,
           substring(whole.data from start for length), nullif(replaces, '')::uuid[]
    from (select ${Buffer.concat(segments.map(({ data }) => data))}::bytea as data offset 0) whole, unnest(
      ${segments.map((segment) => segment.tenantId)}::uuid[], ${segments.map((segment) => segment.startsAtMs)}::float8[],
      ${segments.map((segment) => segment.id)}::uuid[], ${segments.map((segment) => segment.endsAtMs)}::float8[],
      ${segments.map((segment) => segment.stream)}::text[], ${segments.map((segment) => segment.level)}::int[],
      ${segments.map((segment) => segment.eventCount)}::int[], ${starts}::int[], ${segments.map(({ data }) => data.length)}::int[],
      ${segments.map(({ replaces }) => (replaces === undefined ? '' : `{${replaces.join(',')}}`))}::text[]
    ) as new (tenant_id, starts_at, id, ends_at, stream, level, event_count, start, length, replaces)`;
}

/** Answers how many of them were still there. */
export async function deleteSegments(sql: SqlTx, keys: readonly SegmentKey[]): Promise<number> {
  if (keys.length === 0) return 0;
  const { count } =
    await sql`with keys as materialized (${keyRows(sql, keys)}) delete from segments using keys where ${isOneOf(sql, keys)}`;
  return count;
}

/** Counts them as compacted to that level without touching their data. */
export async function raiseSegments(sql: SqlTx, keys: readonly SegmentKey[], level: SegmentLevel): Promise<void> {
  if (keys.length === 0) return;
  await sql`with keys as materialized (${keyRows(sql, keys)}) update segments set level = ${level} from keys where ${isOneOf(sql, keys)}`;
}

const keyRows = (sql: SqlTx, keys: readonly SegmentKey[]) => sql`
  select tenant_id, to_timestamp(starts_at / 1000) as starts_at, id from unnest(
    ${keys.map((key) => key.tenantId)}::uuid[], ${keys.map((key) => key.startsAtMs)}::float8[], ${keys.map((key) => key.id)}::uuid[]
  ) as key (tenant_id, starts_at, id)`;

/** The bounds over all keys keep the statement to their days; without them each of its plans opens every day there is. */
const isOneOf = (sql: SqlTx, keys: readonly SegmentKey[]) => sql`
  segments.tenant_id = keys.tenant_id and segments.starts_at = keys.starts_at and segments.id = keys.id
  and segments.starts_at between ${Math.min(...keys.map((key) => key.startsAtMs))}::timestamptz and ${Math.max(...keys.map((key) => key.startsAtMs))}::timestamptz`;

/**
 * Keys of all segments that overlap the ranges, one after the other in the order of their starts, tenant by tenant. A packed key is 16 bytes
 * of id and 8 of `starts_at`, which `packedStartMs` reads. They are overwritten afterwards.
 */
export async function listSegments(
  client: pg.PoolClient,
  stream: SegmentStream,
  ranges: readonly SegmentRange[],
  onTenant: (tenantId: string, packed: Buffer) => void,
): Promise<void> {
  if (ranges.length === 0) return;
  const select = `
    select wanted.tenant_id, found.packed from ${wantedRanges(ranges)} cross join lateral (
      select string_agg(${PACKED_KEY}, ''::bytea order by starts_at) as packed from segments where ${overlapping(stream, ranges)}
    ) found where found.packed is not null`;
  await copyRows(client, select, (bytes, ends) => {
    const idEnd = ends[0]!;
    onTenant(uuidText(bytes.subarray(idEnd - UUID_BYTES, idEnd)), bytes.subarray(idEnd + FIELD_HEADER_BYTES, ends[1]));
  });
}

export const PACKED_KEY = 'uuid_send(id) || timestamptz_send(starts_at)';
export const PACKED_KEY_BYTES = 24;

/** `starts_at` of the key that starts at `offset`: microseconds since 2000. */
export function packedStartMs(packed: Buffer, offset: number): EpochMs {
  return PG_EPOCH_MS + (packed.readInt32BE(offset + 16) * 2 ** 32 + packed.readUInt32BE(offset + 20)) / 1000;
}

/**
 * The data of segments that overlap the ranges: all of them, or those of `ids`. The packed key is in `bytes` at `key`, the data is
 * `bytes[from, to)`; both are overwritten afterwards.
 */
export async function copySegments(
  client: pg.PoolClient,
  stream: SegmentStream,
  ranges: readonly SegmentRange[],
  ids: readonly string[] | null,
  onSegment: (tenantId: string, bytes: Buffer, key: number, from: number, to: number) => void,
): Promise<void> {
  if (ranges.length === 0) return;
  const only = ids === null ? '' : `and id = any('{${ids.join(',')}}'::uuid[])`;
  const select = `
    select wanted.tenant_id, found.key, found.data from ${wantedRanges(ranges)} cross join lateral (
      select ${PACKED_KEY} as key, data from segments where ${overlapping(stream, ranges)} ${only}
    ) found`;
  const tenant = Buffer.alloc(UUID_BYTES);
  let tenantId = uuidText(tenant);
  await copyRows(client, select, (bytes, ends) => {
    const [tenantEnd, keyEnd, dataEnd] = ends as [number, number, number];
    if (bytes.compare(tenant, 0, UUID_BYTES, tenantEnd - UUID_BYTES, tenantEnd) !== 0) {
      bytes.copy(tenant, 0, tenantEnd - UUID_BYTES, tenantEnd);
      tenantId = uuidText(tenant);
    }
    onSegment(tenantId, bytes, keyEnd - PACKED_KEY_BYTES, keyEnd + FIELD_HEADER_BYTES, dataEnd);
  });
}

/** Oldest first. */
export async function segmentHeads(client: pg.PoolClient, stream: SegmentStream, ranges: readonly SegmentRange[]): Promise<SegmentHead[]> {
  if (ranges.length === 0) return [];
  const { rows } = await client.query<SegmentHead>(`
    select found.* from ${wantedRanges(ranges)} cross join lateral (
      select tenant_id as "tenantId", starts_at as "startsAtMs", id, ends_at as "endsAtMs", level, event_count as "eventCount"
      from segments where ${overlapping(stream, ranges)}
    ) found order by "tenantId", "startsAtMs", id`);
  return rows;
}

/** Segments that compaction has not reached: fresh ones before `minutesBeforeMs`, also minutes before `hoursBeforeMs`. Oldest first. */
export async function fineSegments(
  client: pg.PoolClient,
  stream: SegmentStream,
  tenantId: string,
  { minutesBeforeMs, hoursBeforeMs }: { minutesBeforeMs: EpochMs; hoursBeforeMs: EpochMs },
): Promise<SegmentHead[]> {
  const { rows } = await client.query<SegmentHead>(
    `select tenant_id as "tenantId", starts_at as "startsAtMs", id, ends_at as "endsAtMs", level, event_count as "eventCount"
    from segments
    where tenant_id = $1 and stream = $2 and level < 2
      and ((level = 0 and starts_at < $3::timestamptz) or (level = 1 and starts_at < $4::timestamptz))
    order by starts_at, id`,
    [tenantId, stream, instant(minutesBeforeMs), instant(hoursBeforeMs)],
  );
  return rows;
}

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function wantedRanges(ranges: readonly SegmentRange[]): string {
  const list = (values: readonly string[]): string => `'{${values.join(',')}}'`;
  return `unnest(
    ${list(ranges.map((range) => range.tenantId))}::uuid[], ${list(ranges.map((range) => instant(range.fromMs)))}::timestamptz[],
    ${list(ranges.map((range) => instant(range.toMs)))}::timestamptz[]
  ) as wanted (tenant_id, from_at, to_at)`;
}

/** The bounds over all ranges are constants, so that the planner leaves out the other days. */
function overlapping(stream: SegmentStream, ranges: readonly SegmentRange[]): string {
  const fromMs = Math.min(...ranges.map((range) => range.fromMs)) - LONGEST_SEGMENT_MS;
  const toMs = Math.max(...ranges.map((range) => range.toMs));
  return `segments.tenant_id = wanted.tenant_id and segments.stream = '${stream}'
    and segments.starts_at > wanted.from_at - interval '${LONGEST_SEGMENT_MS} ms' and segments.starts_at < wanted.to_at and segments.ends_at > wanted.from_at
    and segments.starts_at > '${instant(fromMs)}' and segments.starts_at < '${instant(toMs)}'`;
}

export function instant(epochMs: EpochMs): string {
  return new Date(epochMs).toISOString();
}
