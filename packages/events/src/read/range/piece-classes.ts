import type { SeriesSums } from '../../hours/hour-sums.ts';
import { classOf, type Sketch, sketchOf } from '../../hours/sketch.ts';
import { PieceValues } from './piece-values.ts';

/** More values are counted by class before they are kept. */
const FEW = 32;
/** So many classes of one piece are counted together, those that are the same as one. */
const MANY = 4_096;

const NO_VALUES: Float64Array = new Float64Array(0);
const NOTHING: Sketch = { classes: new Int32Array(0), counts: NO_VALUES, min: Infinity, max: -Infinity };

/** Room for what is kept next. */
const someClasses = new Float64Array(FEW);
const ones = new Float64Array(FEW).fill(1);

/** How many values of each class a series has by piece, for quantiles of long windows: as classes they come from events and from hours alike. */
export class PieceClasses {
  private readonly classes = new PieceValues();
  private readonly counts = new PieceValues();

  /** Numbers that are held. */
  get held(): number {
    return this.classes.count + this.counts.count;
  }

  append(values: Float64Array, from: number, to: number, piece: number): void {
    if (to - from > FEW) this.appendSketch(sketchOf([], values.subarray(from, to), to - from), piece);
    else {
      for (let i = from; i < to; i++) someClasses[i - from] = classOf(values[i]!);
      this.appendCounts(someClasses, ones, to - from, piece);
    }
  }

  appendHour({ sketch }: SeriesSums, piece: number): void {
    if (sketch !== null) this.appendSketch(sketch, piece);
  }

  /** Like `PieceValues`: answers where the classes of each piece start, and where the last ones end. */
  arrange(pieceCount: number): Uint32Array {
    this.counts.arrange(pieceCount);
    return this.classes.arrange(pieceCount);
  }

  /** After `arrange`. */
  shift(pieceCount: number): void {
    this.classes.shift(pieceCount);
    this.counts.shift(pieceCount);
  }

  release(): void {
    this.classes.release();
    this.counts.release();
  }

  /** Until the next change. */
  all(): { classes: Float64Array; counts: Float64Array } {
    const { classes, counts } = this;
    return { classes: classes.values.subarray(0, classes.count), counts: counts.values.subarray(0, counts.count) };
  }

  private appendSketch({ classes, counts }: Sketch, piece: number): void {
    this.appendCounts(Float64Array.from(classes), counts, classes.length, piece);
  }

  private appendCounts(classes: Float64Array, counts: Float64Array, count: number, piece: number): void {
    this.classes.append(classes, 0, count, piece);
    this.counts.append(counts, 0, count, piece);
    const many = this.classes.takeLast(piece, MANY);
    if (many === null) return;
    const counted = { ...NOTHING, classes: Int32Array.from(many), counts: this.counts.takeLast(piece, MANY)! };
    const joined = sketchOf([counted, NOTHING], NO_VALUES, 0);
    this.classes.append(Float64Array.from(joined.classes), 0, joined.classes.length, piece);
    this.counts.append(joined.counts, 0, joined.classes.length, piece);
  }
}

/** A stretch of classes that moves along them, of which it is always known how many values of each there are: moving costs what comes in and goes out. */
export class ClassStretch {
  /** Each class once, ascending; `counts` of those that are not in the stretch are 0. */
  readonly classes: Int32Array;
  readonly counts: Float64Array;
  private from = 0;
  private to = 0;
  private readonly places: Uint32Array;
  private readonly added: Float64Array;

  constructor({ classes, counts }: { classes: Float64Array; counts: Float64Array }) {
    this.classes = Int32Array.from(new Set(classes)).sort();
    this.counts = new Float64Array(this.classes.length);
    this.added = counts;
    const placeOf = new Map([...this.classes].map((each, place) => [each, place]));
    this.places = Uint32Array.from(classes, (each) => placeOf.get(each)!);
  }

  moveTo(from: number, to: number): void {
    while (this.to < to) this.change(this.to++, 1);
    while (this.from > from) this.change(--this.from, 1);
    while (this.to > to) this.change(--this.to, -1);
    while (this.from < from) this.change(this.from++, -1);
  }

  private change(at: number, sign: number): void {
    this.counts[this.places[at]!]! += sign * this.added[at]!;
  }
}
