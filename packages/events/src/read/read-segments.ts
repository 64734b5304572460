import {
  copySegments,
  type Database,
  listSegments,
  PACKED_KEY_BYTES,
  packedStartMs,
  type SegmentRange,
  type SegmentStream,
  uuidText,
  withTenantsCopy,
} from '@tocsin/db';
import type { Metrics } from '@tocsin/runtime';
import type { Segment } from '../codec/decode.ts';
import type { SegmentCache } from './segment-cache.ts';
import { Slab } from './slab.ts';

export interface SegmentReader {
  db: Database;
  cache: SegmentCache;
  metrics: Metrics;
}

/** The event loop is free at least this often. */
const SLICE_MS = 50;

/** A segment that is listed and not cached, and where it starts. */
interface Missing {
  tenantId: string;
  startMs: number;
}

/**
 * Hands on every segment with anything in a tenant's range, exactly once. The list of ids and the data come from one snapshot: commits
 * are not in the order of ids or of times, so what was seen before says nothing about what is there now.
 */
export async function readSegments(
  { db, cache, metrics }: SegmentReader,
  stream: SegmentStream,
  ranges: readonly SegmentRange[],
  signal: AbortSignal,
  onSegment: (tenantId: string, segment: Segment) => void,
): Promise<void> {
  const tenantIds = [...new Set(ranges.map(({ tenantId }) => tenantId))];
  const cached: Segment[] = [];
  const cachedOf: string[] = [];
  const missing = new Map<string, Missing>();
  await withTenantsCopy(db, tenantIds, async (client) => {
    await listSegments(client, stream, ranges, (tenantId, packed) => {
      for (let at = 0; at < packed.length; at += PACKED_KEY_BYTES) {
        const id = packed.toString('latin1', at, at + 16);
        const segment = cache.get(id);
        if (segment === undefined) missing.set(id, { tenantId, startMs: packedStartMs(packed, at) });
        else cachedOf[cached.push(segment) - 1] = tenantId;
      }
    });
    signal.throwIfAborted();
    if (missing.size === 0) return;
    const slab = new Slab();
    const ids = cached.length === 0 ? null : [...missing.keys()].map((id) => uuidText(Buffer.from(id, 'latin1')));
    await copySegments(client, stream, rangesOf(missing, ranges, cached.length === 0), ids, (id, bytes, from, to) => {
      const { tenantId } = missing.get(id)!;
      const segment = slab.open(bytes, from, to);
      cache.set(id, segment);
      onSegment(tenantId, segment);
    });
  });
  metrics.segmentReads.inc({ from: 'cache' }, cached.length);
  metrics.segmentReads.inc({ from: 'database' }, missing.size);
  metrics.segmentCacheBytes.set(cache.bytes);
  let sliceStart = performance.now();
  for (let i = 0; i < cached.length; i++) {
    onSegment(cachedOf[i]!, cached[i]!);
    if (i % 16 !== 0 || performance.now() - sliceStart < SLICE_MS) continue;
    await new Promise(setImmediate);
    signal.throwIfAborted();
    sliceStart = performance.now();
  }
}

/** Where the missing ones are: usually the newest minute alone. */
function rangesOf(missing: ReadonlyMap<string, Missing>, ranges: readonly SegmentRange[], isAll: boolean): readonly SegmentRange[] {
  if (isAll) return ranges;
  return [...Map.groupBy(missing.values(), ({ tenantId }) => tenantId)].map(([tenantId, segments]) => {
    const starts = segments.map(({ startMs }) => startMs);
    return { tenantId, fromMs: Math.min(...starts), toMs: Math.max(...starts) + 1 };
  });
}
