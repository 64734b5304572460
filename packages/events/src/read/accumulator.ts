import type { Aggregation } from '@tocsin/domain';
import { ExactSum, type Limbs } from './exact-sum.ts';
import { quantile } from './quantile.ts';
import { giveRoom, takeRoom } from './value-room.ts';

/** What a series must gather to answer all aggregations asked of it. */
export interface Needs {
  sum: boolean;
  extremes: boolean;
  last: boolean;
  values: boolean;
  distinct: boolean;
}

const QUANTILES: Partial<Record<Aggregation, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

export function needsOf(aggregations: Iterable<Aggregation>, isShare: boolean): Needs {
  const asked = new Set(aggregations);
  return {
    // A share counts its hits, which are worth 100 each.
    sum: asked.has('sum') || asked.has('avg') || (isShare && (asked.has('count') || asked.has('rate'))),
    extremes: asked.has('min') || asked.has('max'),
    last: asked.has('last'),
    values: (Object.keys(QUANTILES) as Aggregation[]).some((aggregation) => asked.has(aggregation)),
    distinct: asked.has('distinct'),
  };
}

const NO_VALUES: Float64Array = new Float64Array(0);
const NO_SUM: Limbs = { high: 0, middle: 0, low: 0 };

/** Room to put portions side by side; used by one answer at a time. */
let joined = new Float64Array(8192);

/** One series of one window while its samples come in, in any order and any portions. */
export class Accumulator {
  samples = 0;
  private readonly distinct: Set<number | string> | null;
  readonly needs: Needs;
  private readonly sum: ExactSum | null;
  private min = Infinity;
  private max = -Infinity;
  private lastMs = -Infinity;
  private last = -Infinity;
  /** Portions that others keep, taken over without a copy. */
  private readonly portions: Float64Array[] | null;
  /** Its own first values, in room that is given back. */
  private values = NO_VALUES;
  private ownCount = 0;

  constructor(needs: Needs) {
    this.needs = needs;
    this.sum = needs.sum ? new ExactSum() : null;
    this.portions = needs.values ? [] : null;
    this.distinct = needs.distinct ? new Set() : null;
  }

  /** `times` is read only where `last` is needed. */
  add(values: Float64Array, times: Float64Array, from: number, to: number): void {
    const { needs } = this;
    if (this.sum !== null) this.sum.add(values, from, to);
    if (needs.values) this.addValues(values, from, to);
    if (needs.extremes) this.widen(values, from, to);
    if (needs.last) this.takeLast(values, times, from, to);
    if (this.distinct !== null) for (let i = from; i < to; i++) this.distinct.add(values[i]!);
    this.samples += to - from;
  }

  /** `codes` are those of a segment's `texts`, 1 for the first. */
  addTexts(codes: Float64Array, from: number, to: number, texts: readonly string[]): void {
    if (this.distinct !== null) for (const code of new Set(codes.subarray(from, to))) this.distinct.add(texts[code - 1]!);
    this.samples += to - from;
  }

  /** Roughly. */
  get byteLength(): number {
    return 300 + 8 * this.ownCount + 40 * (this.distinct?.size ?? 0);
  }

  /** All that was gathered, where it is no more than a count and a sum of three limbs; otherwise null. */
  sums(): Limbs | null {
    const { extremes, last, values, distinct } = this.needs;
    if (extremes || last || values || distinct) return null;
    return this.sum === null ? NO_SUM : this.sum.limbs();
  }

  /** Adds the `sums` of another one of equal needs. */
  addSums(samples: number, high: number, middle: number, low: number): void {
    this.samples += samples;
    if (this.sum !== null) this.sum.addLimbs(samples, high, middle, low);
  }

  /** All that was gathered, where it is no more than values; otherwise null. */
  portion(): Float64Array | null {
    const { sum, extremes, last, values, distinct } = this.needs;
    return values && !sum && !extremes && !last && !distinct ? this.values.slice(0, this.ownCount) : null;
  }

  /** Adds the `portion` of another one of equal needs, which must not change afterwards. */
  addPortion(portion: Float64Array): void {
    this.portions!.push(portion);
    this.samples += portion.length;
  }

  /** After the last answer: its room is for others. */
  release(): void {
    giveRoom(this.values);
    this.values = NO_VALUES;
    this.ownCount = 0;
  }

  /** Adds what another one of equal needs has gathered. */
  merge(other: Accumulator): void {
    if (other.samples === 0) return;
    if (this.sum !== null) this.sum.merge(other.sum!);
    if (this.portions !== null) this.portions.push(other.values.subarray(0, other.ownCount));
    if (this.distinct !== null) for (const each of other.distinct!) this.distinct.add(each);
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    if (other.lastMs > this.lastMs || (other.lastMs === this.lastMs && other.last > this.last)) {
      this.lastMs = other.lastMs;
      this.last = other.last;
    }
    this.samples += other.samples;
  }

  /** Null where there is no answer without a sample. */
  answer(aggregation: Aggregation, isShare: boolean, perWindow: number): number | null {
    const count = isShare && this.sum !== null ? this.sum.value() / 100 : this.samples;
    if (aggregation === 'count') return count;
    if (aggregation === 'rate') return count * perWindow;
    if (aggregation === 'sum') return this.sum!.value();
    if (aggregation === 'distinct') return this.samples === 0 ? null : this.distinct!.size;
    if (this.samples === 0) return null;
    if (aggregation === 'avg') return this.sum!.value() / this.samples;
    if (aggregation === 'min') return this.min;
    if (aggregation === 'max') return this.max;
    if (aggregation === 'last') return this.last;
    return quantile(this.join(), this.samples, QUANTILES[aggregation]!);
  }

  private join(): Float64Array {
    if (joined.length < this.samples) joined = new Float64Array(this.samples * 2);
    let at = this.ownCount;
    joined.set(this.values.subarray(0, at));
    for (const portion of this.portions!) {
      // A call costs more than a few values.
      if (portion.length > 32) joined.set(portion, at);
      else for (let i = 0; i < portion.length; i++) joined[at + i] = portion[i]!;
      at += portion.length;
    }
    return joined;
  }

  private addValues(values: Float64Array, from: number, to: number): void {
    const count = this.ownCount + to - from;
    if (count > this.values.length) {
      const room = takeRoom(count);
      room.set(this.values.subarray(0, this.ownCount));
      giveRoom(this.values);
      this.values = room;
    }
    for (let i = from, at = this.ownCount; i < to; i++) this.values[at++] = values[i]!;
    this.ownCount = count;
  }

  private widen(values: Float64Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const value = values[i]!;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
    }
  }

  /** Of several at the same time the largest, so that their order does not matter. */
  private takeLast(values: Float64Array, times: Float64Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const atMs = times[i]!;
      if (atMs < this.lastMs || (atMs === this.lastMs && values[i]! <= this.last)) continue;
      this.lastMs = atMs;
      this.last = values[i]!;
    }
  }
}
