import type { EpochMs } from '@tocsin/domain';
import type pg from 'pg';
import { copyRows, FIELD_HEADER_BYTES } from './copy-rows.ts';
import {
  instant,
  LONGEST_SEGMENT_MS,
  PACKED_KEY,
  PACKED_KEY_BYTES,
  type SegmentRange,
  type SegmentStream,
  UUID_BYTES,
  uuidText,
} from './segments.ts';

/** What of a tenant's segments a reader knows already: all that overlap `[fromMs, listedToMs)` in the snapshot of `transactions`. */
export interface KnownRange extends SegmentRange {
  listedToMs: EpochMs;
  transactions: string;
}

/** A segment's key is in `bytes` at `key`, its data is `bytes[from, to)`; all of it is overwritten afterwards. */
export interface NewSegmentBytes {
  bytes: Buffer;
  key: number;
  from: number;
  to: number;
  /** Ids of the segments that are gone with its coming, 16 bytes each; null when it took the place of others and does not say of which. */
  replaced: Buffer | null;
}

/**
 * The segments that overlap `[fromMs, toMs)` and are not among the known ones: those that the earlier snapshot did not see, whichever their
 * times are, and those that start where the reader has not looked before. A segment may be told that is known.
 */
export async function copyNewSegments(
  client: pg.PoolClient,
  stream: SegmentStream,
  ranges: readonly KnownRange[],
  onSegment: (tenantId: string, segment: NewSegmentBytes) => void,
): Promise<void> {
  if (ranges.length === 0) return;
  const list = (values: readonly string[]): string => `'{"${values.join('","')}"}'`;
  const fromMs = Math.min(...ranges.map((range) => range.fromMs)) - LONGEST_SEGMENT_MS;
  const listedToMs = Math.min(...ranges.map((range) => range.listedToMs));
  const toMs = Math.max(...ranges.map((range) => range.toMs));
  const oldest = ranges
    .map(({ transactions }) => BigInt(transactions.slice(0, transactions.indexOf(':'))))
    .reduce((a, b) => (a < b ? a : b));
  const tells = `case when level = 0 or replaces is not null then 0::smallint else 1::smallint end`;
  const replacedBytes = `coalesce(decode(replace(array_to_string(replaces, ''), '-', ''), 'hex'), '')`;
  const fields = `${PACKED_KEY} || int2send(${tells}) || ${replacedBytes}, data`;
  const overlapping = `segments.tenant_id = wanted.tenant_id and segments.stream = '${stream}'
    and segments.ends_at > wanted.from_at and segments.starts_at < wanted.to_at and segments.starts_at < '${instant(toMs)}'`;
  // A number that no transaction has had yet came with a restored backup: that row was there before.
  const isLater = `pg_visible_in_snapshot(written_by, pg_current_snapshot()) and not pg_visible_in_snapshot(written_by, wanted.snapshot)`;
  // Constants, where they say nothing new, let the planner leave out the other days, and expect few rows of the new ones.
  const select = `
    with wanted as materialized (select * from unnest(
      ${list(ranges.map((range) => range.tenantId))}::uuid[], ${list(ranges.map((range) => instant(range.fromMs)))}::timestamptz[],
      ${list(ranges.map((range) => instant(range.listedToMs)))}::timestamptz[], ${list(ranges.map((range) => instant(range.toMs)))}::timestamptz[],
      ${list(ranges.map((range) => range.transactions))}::pg_snapshot[]
    ) as wanted (tenant_id, from_at, listed_to, to_at, snapshot))
    select wanted.tenant_id, ${fields} from wanted join segments on ${overlapping} and starts_at > '${instant(fromMs)}'
      and written_by > '0'::xid8 and written_by >= '${oldest}'::xid8 and ${isLater}
    union all
    select wanted.tenant_id, ${fields} from wanted cross join lateral (
      select id, starts_at, level, replaces, data from segments
      where ${overlapping} and starts_at >= '${instant(listedToMs)}' and starts_at >= wanted.listed_to and not (${isLater})
    ) found`;
  await copyRows(client, select, (bytes, ends) => {
    const [tenantEnd, keyEnd, dataEnd] = ends as [number, number, number];
    const key = tenantEnd + FIELD_HEADER_BYTES;
    onSegment(uuidText(bytes.subarray(tenantEnd - UUID_BYTES, tenantEnd)), {
      bytes,
      key,
      from: keyEnd + FIELD_HEADER_BYTES,
      to: dataEnd,
      replaced: replacedIds(bytes, key + PACKED_KEY_BYTES, keyEnd),
    });
  });
}

function replacedIds(bytes: Buffer, at: number, end: number): Buffer | null {
  return bytes.readInt16BE(at) === 0 ? bytes.subarray(at + 2, end) : null;
}
