import type { Segment } from '../codec/decode.ts';

/** Opened segments by id, the longest unused dropped first. Segments never change, so an entry is never wrong. */
export class SegmentCache {
  bytes = 0;
  private readonly segments = new Map<string, Segment>();
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get(id: string): Segment | undefined {
    const segment = this.segments.get(id);
    if (segment === undefined) return undefined;
    this.segments.delete(id);
    this.segments.set(id, segment);
    return segment;
  }

  set(id: string, segment: Segment): void {
    if (segment.byteLength > this.maxBytes || this.segments.has(id)) return;
    this.segments.set(id, segment);
    this.bytes += segment.byteLength;
    for (const [oldest, { byteLength }] of this.segments) {
      if (this.bytes <= this.maxBytes) return;
      this.segments.delete(oldest);
      this.bytes -= byteLength;
    }
  }
}
