import type { Accumulator } from './accumulator.ts';

/** Of a segment's place among the kept ones. */
const NOTHING = 0;
const SUMS = 1;
const VALUES = 2;
const WHOLE = 3;

/** What a place costs in the columns, in bytes. */
const PLACE_BYTES = 33;

/**
 * What one query found in each of a tenant's kept segments: a window that holds a segment whole adds it up instead of reading its rows again.
 * Counts and sums lie side by side: a window of an hour adds up sixty of them for every query.
 */
export class KeptPartials {
  /** Since the last time the cache looked for something to drop. */
  isUsed = true;
  bytes = 0;
  private kinds = new Uint8Array(0);
  /** Four a slot: samples and the limbs of the sum. */
  private sums = new Float64Array(0);
  private readonly portions: (Float64Array | undefined)[] = [];
  /** Of those that need more than a sum or their values, or whose sum does not fit three numbers. */
  private readonly accumulators: (Accumulator | undefined)[] = [];

  has(slot: number): boolean {
    return slot < this.kinds.length && this.kinds[slot] !== NOTHING;
  }

  /** What `has` said is there. */
  addTo(target: Accumulator, slot: number): void {
    if (this.kinds[slot] === WHOLE) target.merge(this.accumulators[slot]!);
    else if (this.kinds[slot] === VALUES) target.addPortion(this.portions[slot]!);
    else {
      const { sums } = this;
      const at = slot * 4;
      target.addSums(sums[at]!, sums[at + 1]!, sums[at + 2]!, sums[at + 3]!);
    }
  }

  /** `slots` is how many places there are. */
  set(slot: number, partial: Accumulator, slots: number): void {
    if (slots > this.kinds.length) this.resize(slots);
    const limbs = partial.sums();
    const portion = limbs === null ? partial.portion() : null;
    if (limbs !== null) {
      this.kinds[slot] = SUMS;
      const { sums } = this;
      const at = slot * 4;
      sums[at] = partial.samples;
      sums[at + 1] = limbs.high;
      sums[at + 2] = limbs.middle;
      sums[at + 3] = limbs.low;
    } else if (portion !== null) {
      this.kinds[slot] = VALUES;
      this.portions[slot] = portion;
      this.bytes += portionBytes(portion);
      partial.release();
    } else {
      this.kinds[slot] = WHOLE;
      this.accumulators[slot] = partial;
      this.bytes += partial.byteLength;
    }
  }

  clear(slot: number): void {
    if (!this.has(slot)) return;
    const portion = this.portions[slot];
    this.bytes -= (this.accumulators[slot]?.byteLength ?? 0) + (portion === undefined ? 0 : portionBytes(portion));
    this.kinds[slot] = NOTHING;
    this.portions[slot] = undefined;
    this.accumulators[slot] = undefined;
  }

  private resize(slots: number): void {
    this.bytes += (slots - this.kinds.length) * PLACE_BYTES;
    const kinds = new Uint8Array(slots);
    kinds.set(this.kinds);
    this.kinds = kinds;
    this.sums = resized(this.sums, slots * 4);
  }
}

function portionBytes(portion: Float64Array): number {
  return portion.byteLength + 200;
}

export function resized(from: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(length);
  to.set(from);
  return to;
}
