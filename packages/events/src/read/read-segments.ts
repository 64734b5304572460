import {
  type CopyClient,
  copyNewSegments,
  copySegments,
  type Database,
  listSegments,
  packedStartMs,
  type SegmentRange,
  type SegmentStream,
  uuidText,
  withTenantsCopy,
} from '@tocsin/db';
import type { Metrics } from '@tocsin/runtime';
import type { Segment } from '../codec/decode.ts';
import type { KeptSegments } from './kept-segments.ts';
import type { SegmentCache } from './segment-cache.ts';
import { Slab } from './slab.ts';
import { TenantRead } from './tenant-read.ts';

export interface SegmentReader {
  db: Database;
  cache: SegmentCache;
  /** Null: what it reads is not counted. */
  metrics: Pick<Metrics, 'segmentReads' | 'segmentCacheBytes'> | null;
}

/** The event loop is free at least this often … */
const SLICE_MS = 50;
/** … and looked after between so many segments. */
const SLICE_SEGMENTS = 512;

/** Where found segments go. Those that were kept come together, with what was kept of them. */
export interface SegmentSink {
  onSegment: (tenantId: string, segment: Segment) => void;
  onKept: (tenantId: string, kept: KeptSegments, slots: readonly number[]) => void;
}

/**
 * Hands on every segment with anything in a tenant's range, exactly once; a tenant has one range. What is new since an earlier read of the
 * tenant is told by its snapshot and this one's: commits are not in the order of ids or of times.
 */
export async function readSegments(
  { db, cache, metrics }: SegmentReader,
  stream: SegmentStream,
  ranges: readonly SegmentRange[],
  signal: AbortSignal,
  sink: SegmentSink,
): Promise<void> {
  const reads = new Map(ranges.map((range) => [range.tenantId, new TenantRead(cache.of(stream, range.tenantId), range)]));
  const slab = new Slab();
  let readCount = 0;
  await withTenantsCopy(
    db,
    [...reads.keys()],
    async (client, snapshot) => {
      const [known, unknown] = [new Map<string, TenantRead>(), new Map<string, TenantRead>()];
      for (const [tenantId, read] of reads) (read.begin(snapshot.server) ? known : unknown).set(tenantId, read);
      await copyNewSegments(
        client,
        stream,
        [...known.values()].map((read) => read.newRange),
        (tenantId, found) => known.get(tenantId)!.addFresh(found, slab),
      );
      for (const [tenantId, read] of known) {
        const freshCount = read.takeFresh(snapshot);
        if (freshCount === null) unknown.set(tenantId, read);
        else readCount += freshCount;
      }
      signal.throwIfAborted();
      readCount += await listAndCopy(client, stream, unknown, slab, sink.onSegment);
      for (const read of unknown.values()) read.endList(snapshot);
      cache.trim();
    },
    signal,
  );
  let keptCount = 0;
  let sliceStart = performance.now();
  for (const read of reads.values()) {
    keptCount += read.keptCount;
    if (read.isHandedOn) continue;
    for (let from = 0; from < read.slots.length; from += SLICE_SEGMENTS) {
      handOn(read, from, sink);
      cache.trim();
      if (performance.now() - sliceStart < SLICE_MS) continue;
      await new Promise(setImmediate);
      signal.throwIfAborted();
      sliceStart = performance.now();
    }
  }
  metrics?.segmentReads.inc({ from: 'cache' }, keptCount);
  metrics?.segmentReads.inc({ from: 'database' }, readCount);
  metrics?.segmentCacheBytes.set(cache.bytes);
}

/** All of what overlaps the ranges: listed first, then what is not kept is copied. Answers how many that are. */
async function listAndCopy(
  client: CopyClient,
  stream: SegmentStream,
  reads: ReadonlyMap<string, TenantRead>,
  slab: Slab,
  onSegment: SegmentSink['onSegment'],
): Promise<number> {
  const ranges = [...reads.values()].map(({ range }) => range);
  const missing: SegmentRange[] = [];
  const ids: string[] = [];
  let keptCount = 0;
  await listSegments(client, stream, ranges, (tenantId, packed) => {
    const read = reads.get(tenantId)!;
    const absent = read.takeList(packed);
    keptCount += read.keptCount;
    if (absent.length === 0) return;
    missing.push({ tenantId, fromMs: packedStartMs(packed, absent[0]!), toMs: packedStartMs(packed, absent.at(-1)!) + 1 });
    for (const at of absent) ids.push(uuidText(packed.subarray(at, at + 16)));
  });
  if (missing.length === 0) return 0;
  let copied = 0;
  const [wanted, only] = keptCount === 0 ? [ranges, null] : [missing, ids];
  await copySegments(client, stream, wanted, only, (tenantId, bytes, key, from, to) => {
    const segment = slab.open(bytes, from, to);
    copied++;
    if (!reads.get(tenantId)!.takeListed(bytes, key, segment)) onSegment(tenantId, segment);
  });
  return copied;
}

/** What was kept when the read began, and was dropped or replaced since, comes by itself. */
function handOn({ range: { tenantId }, kept, slots, segments }: TenantRead, from: number, { onSegment, onKept }: SegmentSink): void {
  const some = slots.length <= SLICE_SEGMENTS ? slots : slots.slice(from, from + SLICE_SEGMENTS);
  const isStill = (slot: number, place: number): boolean => kept.segments[slot] === segments[from + place];
  if (some.every(isStill)) {
    onKept(tenantId, kept, some);
    return;
  }
  for (const [place, slot] of some.entries()) if (!isStill(slot, place)) onSegment(tenantId, segments[from + place]!);
  const still = some.filter(isStill);
  if (still.length > 0) onKept(tenantId, kept, still);
}

/** For readers to whom a kept segment is like any other. */
export function readEachSegment(
  reader: SegmentReader,
  stream: SegmentStream,
  ranges: readonly SegmentRange[],
  signal: AbortSignal,
  onSegment: SegmentSink['onSegment'],
): Promise<void> {
  return readSegments(reader, stream, ranges, signal, {
    onSegment,
    onKept: (tenantId, kept, slots) => {
      for (const slot of slots) onSegment(tenantId, kept.segments[slot]!);
    },
  });
}
