import type { Segment } from '../codec/decode.ts';

interface Entry {
  segment: Segment;
  /** Since the last sweep came by. */
  isUsed: boolean;
}

/** Opened segments by id. Over its bound it drops, oldest first, what was not used since it was last passed over. Segments never change. */
export class SegmentCache {
  bytes = 0;
  private readonly entries = new Map<string, Entry>();
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get(id: string): Segment | undefined {
    const entry = this.entries.get(id);
    if (entry === undefined) return undefined;
    entry.isUsed = true;
    return entry.segment;
  }

  set(id: string, segment: Segment): void {
    if (segment.byteLength > this.maxBytes || this.entries.has(id)) return;
    this.entries.set(id, { segment, isUsed: false });
    this.bytes += segment.byteLength;
    if (this.bytes > this.maxBytes) this.sweep();
  }

  private sweep(): void {
    for (const [id, entry] of this.entries) {
      if (this.bytes <= this.maxBytes) return;
      this.entries.delete(id);
      if (entry.isUsed) {
        entry.isUsed = false;
        this.entries.set(id, entry);
      } else {
        this.bytes -= entry.segment.byteLength;
      }
    }
  }
}
