import { LONGEST_SEGMENT_MS, PACKED_KEY_BYTES, packedStartMs, type Snapshot } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { Segment } from '../codec/decode.ts';
import type { Accumulator } from './accumulator.ts';
import type { Needs } from './needs.ts';
import { KeptPartials } from './kept-partials.ts';

const FIRST_SLOTS = 64;
const SLOT_BYTES = 53;

/** What all that is kept costs. */
export interface Budget {
  bytes: number;
}

/** The times of which everything is kept that a snapshot saw, and nothing else. */
export interface Coverage {
  fromMs: EpochMs;
  toMs: EpochMs;
  snapshot: Snapshot;
  /** From then on (`performance.now()`) it has to be listed again. */
  untilMs: number;
}

/**
 * The opened segments of one tenant and stream. Each has a slot; the slots are ordered as the database lists their segments, so that a list
 * is matched by walking along both. A slot is used again once its segment was dropped: who keeps slots must look at `segments` again.
 */
export class KeptSegments {
  /** By slot, like `minTs` and `maxTs`. */
  readonly segments: (Segment | undefined)[] = [];
  minTs: Float64Array = new Float64Array(FIRST_SLOTS);
  maxTs: Float64Array = new Float64Array(FIRST_SLOTS);
  /** Where its partials are cut into two pieces, NaN while nothing cut it. Slots of a schedule cut minutes at the same second, again and again. */
  cuts: Float64Array = new Float64Array(FIRST_SLOTS).fill(NaN);
  /** Another object after every change, so that a read knows whether another one was faster. */
  coverage: Coverage | null = null;
  private budget: Budget;
  private isUsed = new Uint8Array(FIRST_SLOTS);
  private readonly free: number[] = [];
  /** Ordered by start. */
  private starts: Float64Array = new Float64Array(FIRST_SLOTS);
  private order = new Uint32Array(FIRST_SLOTS);
  private count = 0;
  /** The ids, four words a slot. */
  private ids = new Uint32Array(FIRST_SLOTS * 4);
  private readonly partialsByQuery = new Map<string, KeptPartials>();

  constructor(budget: Budget) {
    this.budget = budget;
    budget.bytes += FIRST_SLOTS * SLOT_BYTES;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Sorts keys as `listSegments` hands them on: the slots of the kept ones into `slots`, where the others are in `packed` into `missing`. */
  match(packed: Buffer, slots: number[], missing: number[]): void {
    let place = packed.length === 0 ? 0 : this.firstFrom(packedStartMs(packed, 0));
    for (let at = 0; at < packed.length; at += PACKED_KEY_BYTES) {
      const startMs = packedStartMs(packed, at);
      while (place < this.count && this.starts[place]! < startMs) place++;
      const slot = this.find(packed, at, startMs, place);
      if (slot === -1) missing.push(at);
      else {
        this.isUsed[slot] = 1;
        slots.push(slot);
      }
    }
  }

  /** The slots of all that overlap `[fromMs, toMs)`, oldest first. */
  slotsIn(fromMs: EpochMs, toMs: EpochMs): number[] {
    const slots: number[] = [];
    for (let place = this.firstFrom(fromMs - LONGEST_SEGMENT_MS); place < this.count && this.starts[place]! < toMs; place++) {
      const slot = this.order[place]!;
      if (this.maxTs[slot]! < fromMs) continue;
      this.isUsed[slot] = 1;
      slots.push(slot);
    }
    return slots;
  }

  /** Keeps the segment whose packed key is at `at`, unless it is there; answers its slot. */
  add(packed: Buffer, at: number, segment: Segment): number {
    const startMs = packedStartMs(packed, at);
    let first = this.count;
    while (first > 0 && this.starts[first - 1]! >= startMs) first--;
    const known = this.find(packed, at, startMs, first);
    if (known !== -1) return known;
    const slot = this.free.pop() ?? this.count;
    if (slot === this.order.length) this.grow();
    if (first < this.count) {
      this.starts.copyWithin(first + 1, first, this.count);
      this.order.copyWithin(first + 1, first, this.count);
    }
    this.starts[first] = startMs;
    this.order[first] = slot;
    this.count++;
    for (let word = 0; word < 4; word++) this.ids[slot * 4 + word] = packed.readUInt32LE(at + word * 4);
    this.segments[slot] = segment;
    this.minTs[slot] = segment.minTs;
    this.maxTs[slot] = segment.maxTs;
    this.cuts[slot] = NaN;
    this.isUsed[slot] = 0;
    this.budget.bytes += segment.byteLength;
    return slot;
  }

  /** What the query of that key found in the segments. */
  partials(query: string, needs: Needs): KeptPartials {
    let partials = this.partialsByQuery.get(query);
    if (partials === undefined) {
      partials = new KeptPartials(needs);
      this.partialsByQuery.set(query, partials);
    }
    partials.isUsed = true;
    return partials;
  }

  /** `second` is what was found in the piece after the cut, null where there is no cut. */
  keepPartial(partials: KeptPartials, slot: number, first: Accumulator, second: Accumulator | null): void {
    const before = partials.bytes;
    partials.set(slot, first, second);
    this.budget.bytes += partials.bytes - before;
  }

  /** Drops what was not asked for since the last time. */
  dropUnused(): void {
    for (const [query, partials] of this.partialsByQuery) {
      if (!partials.isUsed) {
        this.partialsByQuery.delete(query);
        this.budget.bytes -= partials.bytes;
      }
      partials.isUsed = false;
    }
    let newestMs = -Infinity;
    this.retain((slot) => {
      if (this.isUsed[slot] === 0) {
        newestMs = Math.max(newestMs, this.maxTs[slot]!);
        return false;
      }
      this.isUsed[slot] = 0;
      return true;
    });
    const { coverage } = this;
    if (coverage === null || newestMs < coverage.fromMs) return;
    this.coverage = newestMs + 1 < coverage.toMs ? { ...coverage, fromMs: newestMs + 1 } : null;
  }

  /** The slots of these ids of 16 bytes each; null when one of them is not kept. */
  slotsOf(ids: Buffer): number[] | null {
    const slots: number[] = [];
    for (let at = 0; at < ids.length; at += 16) {
      let place = 0;
      while (place < this.count && !this.hasId(this.order[place]!, ids, at)) place++;
      if (place === this.count) return null;
      slots.push(this.order[place]!);
    }
    return slots;
  }

  dropSlots(slots: readonly number[]): void {
    if (slots.length === 0) return;
    const gone = new Set(slots);
    this.retain((slot) => !gone.has(slot));
  }

  /** Drops what overlaps `[fromMs, toMs)` and is not in one of the slots. */
  dropOthers(fromMs: EpochMs, toMs: EpochMs, slots: readonly number[]): void {
    const listed = new Set(slots);
    this.retain((slot) => listed.has(slot) || this.maxTs[slot]! < fromMs || this.minTs[slot]! >= toMs);
  }

  /** From now on it costs nothing: whoever still reads from it must not be counted. */
  leaveBudget(): void {
    for (const partials of this.partialsByQuery.values()) this.budget.bytes -= partials.bytes;
    this.budget.bytes -= this.order.length * SLOT_BYTES;
    this.budget = { bytes: 0 };
  }

  private retain(isKept: (slot: number) => boolean): void {
    let count = 0;
    for (let place = 0; place < this.count; place++) {
      const slot = this.order[place]!;
      if (!isKept(slot)) {
        this.drop(slot);
        continue;
      }
      this.starts[count] = this.starts[place]!;
      this.order[count++] = slot;
    }
    this.count = count;
  }

  private drop(slot: number): void {
    this.budget.bytes -= this.segments[slot]!.byteLength;
    this.segments[slot] = undefined;
    for (const partials of this.partialsByQuery.values()) {
      const before = partials.bytes;
      partials.clear(slot);
      this.budget.bytes += partials.bytes - before;
    }
    this.free.push(slot);
  }

  /** The slot of a key, −1 when it is not kept. `place` is the first one that does not start before it. */
  private find(packed: Buffer, at: number, startMs: number, place: number): number {
    for (let i = place; i < this.count && this.starts[i] === startMs; i++) {
      const slot = this.order[i]!;
      if (this.hasId(slot, packed, at)) return slot;
    }
    return -1;
  }

  private hasId(slot: number, packed: Buffer, at: number): boolean {
    const { ids } = this;
    const id = slot * 4;
    return (
      ids[id + 3] === packed.readUInt32LE(at + 12) &&
      ids[id + 2] === packed.readUInt32LE(at + 8) &&
      ids[id + 1] === packed.readUInt32LE(at + 4) &&
      ids[id] === packed.readUInt32LE(at)
    );
  }

  /** The first place that does not start before. */
  private firstFrom(startMs: EpochMs): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle]! < startMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private grow(): void {
    const slots = this.order.length * 2;
    this.budget.bytes += (slots - this.order.length) * SLOT_BYTES;
    this.minTs = resized(this.minTs, slots);
    this.maxTs = resized(this.maxTs, slots);
    this.cuts = resized(this.cuts, slots);
    this.starts = resized(this.starts, slots);
    const { isUsed, order, ids } = this;
    this.isUsed = new Uint8Array(slots);
    this.isUsed.set(isUsed);
    this.order = new Uint32Array(slots);
    this.order.set(order);
    this.ids = new Uint32Array(slots * 4);
    this.ids.set(ids);
  }
}

function resized(from: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(length);
  to.set(from);
  return to;
}
