import { AGGREGATION_FACTS, type Aggregation } from '@tocsin/domain';
import type { SeriesSums } from '../hours/hour-sums.ts';
import { type Sketch, sketchOf, sketchQuantile } from '../hours/sketch.ts';
import { ExactSum } from './exact-sum.ts';
import type { Needs } from './needs.ts';
import { quantile } from './quantile.ts';
import { giveRoom, takeRoom } from './value-room.ts';

interface Stretch {
  values: Float64Array;
  from: number;
  to: number;
}

const NO_VALUES: Float64Array = new Float64Array(0);

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
  /** Values that others keep, taken over without a copy. */
  private readonly stretches: Stretch[] | null;
  /** Its own first values, in room that is given back. */
  private values = NO_VALUES;
  private ownCount = 0;
  /** Values of which only their classes are known. */
  private sketches: Sketch[] = [];
  private sketchedCount = 0;
  private readonly byClasses: boolean;

  /** @param byClasses quantiles are told by the classes of values, whether all values are known or not: a long window's do not depend on which are */
  constructor(needs: Needs, byClasses = false) {
    this.needs = needs;
    this.byClasses = byClasses;
    this.sum = needs.sum ? new ExactSum() : null;
    this.stretches = needs.values ? [] : null;
    this.distinct = needs.distinct ? new Set() : null;
  }

  /** `times` is read only where `last` is needed. */
  add(values: Float64Array, times: Float64Array, from: number, to: number): void {
    const { needs } = this;
    if (this.sum !== null) this.sum.add(values, from, to);
    if (needs.values) this.addValues(values, from, to);
    if (needs.extremes) this.widen(values, from, to);
    if (needs.last) for (let i = from; i < to; i++) this.takeLast(times[i]!, values[i]!);
    if (this.distinct !== null) for (let i = from; i < to; i++) this.distinct.add(values[i]!);
    this.samples += to - from;
  }

  /** Adds what is known of samples that were summed up before. Quantiles have to be told by classes. */
  addSums({ samples, sum, sketch }: SeriesSums): void {
    this.samples += samples;
    if (this.sum !== null) this.sum.merge(sum!);
    if (this.needs.extremes) {
      this.min = Math.min(this.min, sketch!.min);
      this.max = Math.max(this.max, sketch!.max);
    }
    if (!this.needs.values) return;
    this.sketches.push(sketch!);
    this.sketchedCount += samples;
  }

  /** What the samples add up to; those of measures with a sketch. */
  sums(values: readonly string[]): SeriesSums {
    const sketch = this.needs.values ? sketchOf(this.sketches, this.join(), this.samples - this.sketchedCount) : null;
    return { key: JSON.stringify(values), values, samples: this.samples, sum: this.sum, sketch };
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

  /** Whether it fits into a cell. */
  get isNumbers(): boolean {
    return this.distinct === null && (this.sum === null || this.sum.isLimbs);
  }

  /** Writes what was gathered, but for the values, as `cellSize` numbers. */
  writeCell(cells: Float64Array, at: number): void {
    cells[at++] = this.samples;
    if (this.sum !== null) {
      cells[at++] = this.sum.high;
      cells[at++] = this.sum.middle;
      cells[at++] = this.sum.low;
    }
    if (this.needs.extremes) {
      cells[at++] = this.min;
      cells[at++] = this.max;
    }
    if (this.needs.last) {
      cells[at++] = this.lastMs;
      cells[at++] = this.last;
    }
  }

  /** Adds what another one of equal needs wrote. The last number of a cell says where its values start, which must not change afterwards. */
  addCell(cells: Float64Array, at: number, values: Float64Array): void {
    const samples = cells[at++]!;
    if (samples === 0) return;
    this.samples += samples;
    if (this.sum !== null) {
      this.sum.addLimbs(samples, cells[at]!, cells[at + 1]!, cells[at + 2]!);
      at += 3;
    }
    if (this.needs.extremes) {
      if (cells[at]! < this.min) this.min = cells[at]!;
      if (cells[at + 1]! > this.max) this.max = cells[at + 1]!;
      at += 2;
    }
    if (this.needs.last) {
      this.takeLast(cells[at]!, cells[at + 1]!);
      at += 2;
    }
    if (this.stretches !== null) this.addStretch(values, cells[at]!, cells[at]! + samples);
  }

  /** Its own values, until the next change. */
  ownValues(): Float64Array {
    return this.values.subarray(0, this.ownCount);
  }

  /** All of it in another one, which stays; this one is empty again. */
  moved(): Accumulator {
    const to = new Accumulator(this.needs);
    to.mergeOwn(this);
    to.values = this.values.slice(0, this.ownCount);
    to.ownCount = this.ownCount;
    this.reset();
    return to;
  }

  /** Empty again, with its room. */
  reset(): void {
    this.samples = 0;
    this.sum?.reset();
    this.min = Infinity;
    this.max = -Infinity;
    this.lastMs = -Infinity;
    this.last = -Infinity;
    this.distinct?.clear();
    this.ownCount = 0;
    this.sketches = [];
    this.sketchedCount = 0;
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
    this.mergeOwn(other);
    if (this.stretches !== null) this.addStretch(other.values, 0, other.ownCount);
  }

  private mergeOwn(other: Accumulator): void {
    if (this.sum !== null) this.sum.merge(other.sum!);
    if (this.distinct !== null) for (const each of other.distinct!) this.distinct.add(each);
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    this.takeLast(other.lastMs, other.last);
    this.samples += other.samples;
  }

  /** Null where there is no answer without a sample. */
  answer(aggregation: Aggregation, isShare: boolean, perWindow: number): number | null {
    const facts = AGGREGATION_FACTS[aggregation];
    if (this.samples === 0) return facts.emptyValue;
    switch (aggregation) {
      case 'sum':
        return this.sum!.value();
      case 'avg':
        return this.sum!.value() / this.samples;
      case 'count':
        return this.countOf(isShare);
      case 'rate':
        return this.countOf(isShare) * perWindow;
      case 'min':
        return this.min;
      case 'max':
        return this.max;
      case 'last':
        return this.last;
      case 'distinct':
        return this.distinct!.size;
      default:
        return this.quantile(facts.quantile!);
    }
  }

  private countOf(isShare: boolean): number {
    return isShare && this.sum !== null ? this.sum.value() / 100 : this.samples;
  }

  private quantile(fraction: number): number {
    if (!this.byClasses) return quantile(this.join(), this.samples, fraction);
    return sketchQuantile(sketchOf(this.sketches, this.join(), this.samples - this.sketchedCount), fraction);
  }

  /** The values that are known one by one. */
  private join(): Float64Array {
    if (joined.length < this.samples) joined = new Float64Array(this.samples * 2);
    let at = this.ownCount;
    joined.set(this.values.subarray(0, at));
    for (const { values, from, to } of this.stretches!) {
      // A call costs more than a few values.
      if (to - from > 32) joined.set(values.subarray(from, to), at);
      else for (let i = from; i < to; i++) joined[at + i - from] = values[i]!;
      at += to - from;
    }
    return joined;
  }

  private addStretch(values: Float64Array, from: number, to: number): void {
    const last = this.stretches!.at(-1);
    if (last !== undefined && last.values === values && last.to === from) last.to = to;
    else if (to > from) this.stretches!.push({ values, from, to });
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
  private takeLast(atMs: number, value: number): void {
    if (atMs < this.lastMs || (atMs === this.lastMs && value <= this.last)) return;
    this.lastMs = atMs;
    this.last = value;
  }
}
