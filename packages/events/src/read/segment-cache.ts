import type { SegmentStream } from '@tocsin/db';
import { type Budget, KeptSegments } from './kept-segments.ts';

/**
 * Opened segments by stream and tenant. Over its bound it drops, tenant by tenant, what was not used since it was last passed over. Segments
 * never change.
 */
export class SegmentCache {
  private readonly tenants = new Map<string, KeptSegments>();
  private readonly budget: Budget = { bytes: 0 };
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.budget.bytes;
  }

  of(stream: SegmentStream, tenantId: string): KeptSegments {
    const key = `${stream} ${tenantId}`;
    let kept = this.tenants.get(key);
    if (kept === undefined) {
      kept = new KeptSegments(this.budget);
      this.tenants.set(key, kept);
    }
    return kept;
  }

  /** Brings it back under its bound. Not while slots or partials are being read. */
  trim(): void {
    for (const [key, kept] of this.tenants) {
      if (this.bytes <= this.maxBytes) return;
      this.tenants.delete(key);
      kept.dropUnused();
      if (kept.isEmpty) kept.leaveBudget();
      else this.tenants.set(key, kept);
    }
  }
}
