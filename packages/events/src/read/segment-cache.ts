import type { Segment } from '../codec/decode.ts';
import { Partials } from './partials.ts';

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
    // A segment read twice will be read often; one read once is not worth the room.
    entry.segment.partials ??= new Partials((bytes) => this.grow(bytes));
    return entry.segment;
  }

  set(id: string, segment: Segment): void {
    if (segment.byteLength > this.maxBytes || this.entries.has(id)) return;
    this.entries.set(id, { segment, isUsed: false });
    this.grow(segment.byteLength);
  }

  private grow(bytes: number): void {
    this.bytes += bytes;
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
        const { byteLength, partials } = entry.segment;
        this.bytes -= byteLength + (partials?.bytes ?? 0);
        // Whoever still reads it must not be counted here any more.
        entry.segment.partials = null;
      }
    }
  }
}
