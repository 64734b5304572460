import {
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

export interface SegmentReader {
  db: Database;
  cache: SegmentCache;
  metrics: Metrics;
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

/** What of a tenant was kept from earlier reads. */
interface Found {
  tenantId: string;
  kept: KeptSegments;
  slots: number[];
  /** To know them again: a slot's segment may be dropped, and another one get the slot, before its turn. */
  segments: Segment[];
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
  { onSegment, onKept }: SegmentSink,
): Promise<void> {
  const tenantIds = [...new Set(ranges.map(({ tenantId }) => tenantId))];
  const found: Found[] = [];
  let keptCount = 0;
  let readCount = 0;
  await withTenantsCopy(db, tenantIds, async (client) => {
    const missing: SegmentRange[] = [];
    const missingIds: string[] = [];
    await listSegments(client, stream, ranges, (tenantId, packed) => {
      const kept = cache.of(stream, tenantId);
      const slots: number[] = [];
      const absent: number[] = [];
      kept.match(packed, slots, absent);
      if (slots.length > 0) found.push({ tenantId, kept, slots, segments: slots.map((slot) => kept.segments[slot]!) });
      keptCount += slots.length;
      if (absent.length === 0) return;
      // Usually the newest minute alone.
      missing.push({ tenantId, fromMs: packedStartMs(packed, absent[0]!), toMs: packedStartMs(packed, absent.at(-1)!) + 1 });
      for (const at of absent) missingIds.push(uuidText(packed.subarray(at, at + 16)));
    });
    signal.throwIfAborted();
    if (missing.length === 0) return;
    const slab = new Slab();
    const [wanted, ids] = keptCount === 0 ? [ranges, null] : [missing, missingIds];
    const foundOf = new Map(found.map((each) => [each.tenantId, each]));
    let kept: KeptSegments | null = null;
    let keptOf = '';
    let known: Found | undefined;
    await copySegments(client, stream, wanted, ids, (tenantId, bytes, key, from, to) => {
      const segment = slab.open(bytes, from, to);
      if (kept === null || tenantId !== keptOf) {
        kept = cache.of(stream, tenantId);
        keptOf = tenantId;
        known = foundOf.get(tenantId);
      }
      const slot = kept.add(bytes, key, segment);
      readCount++;
      if (known === undefined) onSegment(tenantId, segment);
      else {
        known.slots.push(slot);
        known.segments.push(kept.segments[slot]!);
      }
    });
    cache.trim();
  });
  metrics.segmentReads.inc({ from: 'cache' }, keptCount);
  metrics.segmentReads.inc({ from: 'database' }, readCount);
  let sliceStart = performance.now();
  for (const each of found) {
    for (let from = 0; from < each.slots.length; from += SLICE_SEGMENTS) {
      handOn(each, from, onSegment, onKept);
      cache.trim();
      if (performance.now() - sliceStart < SLICE_MS) continue;
      await new Promise(setImmediate);
      signal.throwIfAborted();
      sliceStart = performance.now();
    }
  }
  metrics.segmentCacheBytes.set(cache.bytes);
}

function handOn(
  { tenantId, kept, slots, segments }: Found,
  from: number,
  onSegment: SegmentSink['onSegment'],
  onKept: SegmentSink['onKept'],
): void {
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
