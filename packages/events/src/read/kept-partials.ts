import type { Accumulator } from './accumulator.ts';

/** Of a segment's place among the kept ones. */
const NOTHING = 0;
const SUMS = 1;
const WHOLE = 2;

/** What a place costs in the columns, in bytes. */
const PLACE_BYTES = 41;

/**
 * What one query found in each of a tenant's kept segments: a window that holds a segment whole adds it up instead of reading its rows again.
 * Counts and sums lie side by side in columns: a window of an hour adds up sixty of them for every query.
 */
export class KeptPartials {
  /** Since the last time the cache looked for something to drop. */
  isUsed = true;
  bytes = 0;
  private kinds = new Uint8Array(0);
  private samples = new Float64Array(0);
  private high = new Float64Array(0);
  private middle = new Float64Array(0);
  private low = new Float64Array(0);
  /** Of those that need more than a sum, or whose sum does not fit three numbers. */
  private readonly accumulators: (Accumulator | undefined)[] = [];

  has(slot: number): boolean {
    return slot < this.kinds.length && this.kinds[slot] !== NOTHING;
  }

  /** What `has` said is there. */
  addTo(target: Accumulator, slot: number): void {
    if (this.kinds[slot] === WHOLE) target.merge(this.accumulators[slot]!);
    else target.addSums(this.samples[slot]!, this.high[slot]!, this.middle[slot]!, this.low[slot]!);
  }

  /** `slots` is how many places there are. */
  set(slot: number, partial: Accumulator, slots: number): void {
    if (slots > this.kinds.length) this.resize(slots);
    const limbs = partial.sums();
    if (limbs === null) {
      this.kinds[slot] = WHOLE;
      this.accumulators[slot] = partial;
      this.bytes += partial.byteLength;
      return;
    }
    this.kinds[slot] = SUMS;
    this.samples[slot] = partial.samples;
    this.high[slot] = limbs.high;
    this.middle[slot] = limbs.middle;
    this.low[slot] = limbs.low;
  }

  clear(slot: number): void {
    if (!this.has(slot)) return;
    this.kinds[slot] = NOTHING;
    this.bytes -= this.accumulators[slot]?.byteLength ?? 0;
    this.accumulators[slot] = undefined;
  }

  private resize(slots: number): void {
    this.bytes += (slots - this.kinds.length) * PLACE_BYTES;
    const kinds = new Uint8Array(slots);
    kinds.set(this.kinds);
    this.kinds = kinds;
    this.samples = resized(this.samples, slots);
    this.high = resized(this.high, slots);
    this.middle = resized(this.middle, slots);
    this.low = resized(this.low, slots);
  }
}

export function resized(from: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(length);
  to.set(from);
  return to;
}
