import { type NewSegmentBytes, PACKED_KEY_BYTES, type SegmentRange, type Snapshot } from '@tocsin/db';
import type { Segment } from '../codec/decode.ts';
import type { Coverage, KeptSegments } from './kept-segments.ts';
import type { Slab } from './slab.ts';

/** Deletions that no segment tells of (a day that is over its retention) are noticed after so long. */
const LIST_AGAIN_MS = 10 * 60_000;

interface Fresh {
  key: Buffer;
  segment: Segment;
  replaced: Buffer | null;
}

/**
 * One read of one tenant's segments. Reads of a tenant may overlap: only one whose `kept.coverage` is still what it was at the beginning may
 * change what is kept inside it, because another one may have seen a later snapshot.
 */
export class TenantRead {
  readonly range: SegmentRange;
  readonly kept: KeptSegments;
  private before: Coverage | null = null;
  /** Kept segments in the range, with the segments to know them again: a slot may get another one before its turn. */
  slots: number[] = [];
  segments: Segment[] = [];
  /** How many of them were kept from earlier reads. With any, all are handed on from what is kept. */
  keptCount = 0;
  /** Whether its segments were handed on one by one as they came. */
  isHandedOn = false;
  private fresh: Fresh[] = [];

  constructor(kept: KeptSegments, range: SegmentRange) {
    this.kept = kept;
    this.range = range;
  }

  /** Whether it is enough to ask for what is new. If so, what is there now is taken note of. */
  begin(server: string): boolean {
    const { kept, range } = this;
    if (kept.coverage !== null && (kept.coverage.snapshot.server !== server || performance.now() > kept.coverage.untilMs))
      kept.coverage = null;
    this.before = kept.coverage;
    if (this.before === null || range.fromMs < this.before.fromMs) return false;
    this.slots = kept.slotsIn(range.fromMs, range.toMs);
    this.segments = this.slots.map((slot) => kept.segments[slot]!);
    this.keptCount = this.slots.length;
    return true;
  }

  /** What is new is new to all that is covered. */
  get newRange(): { tenantId: string; fromMs: number; listedToMs: number; toMs: number; transactions: string } {
    const { fromMs, toMs, snapshot } = this.before!;
    const { tenantId } = this.range;
    return { tenantId, fromMs, listedToMs: toMs, toMs: Math.max(toMs, this.range.toMs), transactions: snapshot.transactions };
  }

  addFresh({ bytes, key, from, to, replaced }: NewSegmentBytes, slab: Slab): void {
    this.fresh.push({
      key: Buffer.from(bytes.subarray(key, key + PACKED_KEY_BYTES)),
      segment: slab.open(bytes, from, to),
      replaced: replaced === null ? null : Buffer.from(replaced),
    });
  }

  /** Keeps what is new and answers how much that is; null, and nothing is changed, when it has to be listed after all. */
  takeFresh(snapshot: Snapshot): number | null {
    const { kept, before, fresh, range } = this;
    this.fresh = [];
    // What was replaced and is not kept may itself have replaced what is.
    const replaced = kept.coverage === before ? fresh.map((each) => (each.replaced === null ? null : kept.slotsOf(each.replaced))) : [null];
    if (replaced.includes(null)) {
      this.forget();
      return null;
    }
    kept.dropSlots(replaced.flatMap((slots) => slots!));
    for (const { key, segment } of fresh) kept.add(key, 0, segment);
    kept.coverage = { ...before!, toMs: Math.max(before!.toMs, range.toMs), snapshot };
    if (fresh.length > 0) {
      this.slots = kept.slotsIn(range.fromMs, range.toMs);
      this.segments = this.slots.map((slot) => kept.segments[slot]!);
    }
    return fresh.length;
  }

  /** Takes keys as the database lists them; answers where those are that are not kept. */
  takeList(packed: Buffer): number[] {
    const missing: number[] = [];
    this.kept.match(packed, this.slots, missing);
    this.segments = this.slots.map((slot) => this.kept.segments[slot]!);
    this.keptCount = this.slots.length;
    // What is read for the first time need not be remembered query by query: it may be the last time, too.
    this.isHandedOn = this.keptCount === 0;
    return missing;
  }

  /** A segment of the list that was not kept. Answers whether it comes with the kept ones; else it has to be handed on at once. */
  takeListed(bytes: Buffer, key: number, segment: Segment): boolean {
    const { kept, before } = this;
    const isEarlier = kept.coverage !== null && segment.maxTs < kept.coverage.fromMs;
    if (!isEarlier && (kept.coverage !== before || !this.isWider)) return false;
    const slot = kept.add(bytes, key, segment);
    this.slots.push(slot);
    this.segments.push(kept.segments[slot]!);
    return !this.isHandedOn;
  }

  /** All of the list is there: it is known from now on what the snapshot sees of the range. */
  endList(snapshot: Snapshot): void {
    const { kept, before, range, slots, segments } = this;
    if (kept.coverage !== before || !this.isWider) return;
    if (slots.some((slot, place) => kept.segments[slot] !== segments[place])) return;
    kept.dropOthers(range.fromMs, range.toMs, slots);
    const untilMs = performance.now() + LIST_AGAIN_MS * (1 + Math.random());
    kept.coverage = { fromMs: range.fromMs, toMs: range.toMs, snapshot, untilMs };
  }

  /** Whether it covers all that was covered. */
  private get isWider(): boolean {
    const { before, range } = this;
    return before === null || (range.fromMs <= before.fromMs && range.toMs >= before.toMs);
  }

  private forget(): void {
    this.slots = [];
    this.segments = [];
    this.keptCount = 0;
    this.isHandedOn = false;
  }
}
