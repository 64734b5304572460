import { newId, type NewSegment, type SegmentLevel, type SegmentStream } from '@tocsin/db';
import { ByteSink } from '../codec/byte-sink.ts';
import type { Segment } from '../codec/decode.ts';
import { encodeInto } from '../codec/encode.ts';
import { SegmentBuilder } from '../codec/segment-builder.ts';

// Events that share no field would otherwise make a segment that is mostly absences.
const MAX_COLUMNS = 512;

export interface MergedPlace {
  tenantId: string;
  stream: SegmentStream;
  level: SegmentLevel;
}

/** The same events in as few segments as the bounds allow, sorted by time and compressed. */
export function mergeSegments(segments: readonly Segment[], place: MergedPlace, eventsPerSegment: number): NewSegment[] {
  const merged: SegmentBuilder[] = [];
  for (const segment of [...segments].sort((a, b) => a.minTs - b.minTs)) {
    let open = merged.at(-1);
    if (open === undefined || open.rows + segment.rows > eventsPerSegment || columnsWith(open, segment) > MAX_COLUMNS) {
      open = new SegmentBuilder(segment.rows + 1);
      merged.push(open);
    }
    open.appendSegment(segment);
  }
  return merged.map((builder) => encoded(builder, place));
}

function encoded(builder: SegmentBuilder, place: MergedPlace): NewSegment {
  builder.sortByTime();
  const sink = new ByteSink(builder.rows * 64 + 4096);
  encodeInto(sink, builder, { compact: true });
  const { timestamps, rows } = builder;
  return {
    ...place,
    id: newId(),
    startsAtMs: timestamps[0]!,
    endsAtMs: timestamps[rows - 1]! + 1,
    eventCount: rows,
    data: sink.bytes.subarray(0, sink.length),
  };
}

function columnsWith(open: SegmentBuilder, { schema: { dims, measures } }: Segment): number {
  const added =
    dims.filter((name) => open.dim(name) === undefined).length + measures.filter((name) => open.measure(name) === undefined).length;
  return open.dims.length + open.measures.length + added;
}
