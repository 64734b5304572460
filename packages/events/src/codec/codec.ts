import type { TelemetryEvent } from '../event.ts';
import { ByteViews } from './byte-views.ts';
import { ByteSink } from './byte-sink.ts';
import { Segment } from './decode.ts';
import { encodeInto } from './encode.ts';
import { SegmentBuilder } from './segment-builder.ts';

/** Encodes events in the layout of docs/segment-format.md. `compact` takes longer and is smaller. */
export function encodeSegment(events: readonly TelemetryEvent[], options: { compact: boolean }): Buffer<ArrayBuffer> {
  const builder = new SegmentBuilder(events.length + 1);
  for (const { tsMs, name, dims, measures } of events) builder.append(tsMs, name, dims, measures);
  const sink = new ByteSink(1024 + events.length * 64);
  encodeInto(sink, builder, options);
  return sink.bytes.subarray(0, sink.length);
}

/** Opens a segment. Throws when the bytes are not one. */
export function decodeSegment(bytes: Uint8Array): Segment {
  const views = new ByteViews(bytes.length);
  views.bytes.set(bytes);
  return new Segment(views, 0, bytes.length);
}
