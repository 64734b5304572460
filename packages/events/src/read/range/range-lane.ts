import { AGGREGATION_FACTS, type EpochMs, type MetricQuery, type RangeWindow } from '@tocsin/domain';
import { Accumulator } from '../accumulator.ts';
import { cellSize, type Needs, needsOf } from '../needs.ts';
import { CellTree, PieceCells } from './piece-cells.ts';
import { PieceValues } from './piece-values.ts';
import { Pieces } from './pieces.ts';
import type { RangeRoom } from './range-room.ts';
import { answerValues, isOfValues } from './window-values.ts';

export interface PlacedQuery {
  query: MetricQuery;
  place: number;
}

/** One series of a lane. All but what is answered already is told from the lane's first held piece. */
export interface LaneSeries {
  cells: PieceCells;
  values: PieceValues | null;
  /** Whether nothing is held of it. */
  isEmpty: boolean;
  /** By window, like the answers of each query. */
  samples: Float64Array;
  answers: Float64Array[];
}

const WINDOWS_AT_ONCE = 1_024;

/**
 * Queries over the same windows of the same subject, selection and group-by. Gathers samples by series and piece, and answers windows as soon
 * as all before their ends is read, so that no more is held than the windows that are still open. Where the series take too much room it only
 * counts them, for a second pass over those of most samples.
 */
export class RangeLane {
  readonly pieces: Pieces;
  readonly windows: readonly RangeWindow[];
  readonly queries: readonly PlacedQuery[];
  readonly isGrouped: boolean;
  /** By number; those that are gathered. */
  readonly series: (LaneSeries | undefined)[] = [];
  /** How many there are, with a group-by. */
  seriesCount = 0;
  /** By series: its samples, each as often as windows hold it. */
  counts: Float64Array = new Float64Array(16);
  isCounting = false;
  /** All was read. */
  isDone = false;
  /** Its queries fail with that code. */
  failure: 'too_many_series' | 'too_many_points' | null = null;
  private chosen: ReadonlySet<number> | null = null;
  private readonly isShare: boolean;
  private readonly keepsValues: boolean;
  private readonly needs: Needs;
  private readonly portion: Accumulator;
  private readonly room: RangeRoom;
  /** Windows by their ends, with the first piece that any of those from there on needs. */
  private readonly order: Uint32Array;
  private readonly neededFrom: Uint32Array;
  /** How many of them are answered. */
  private done = 0;
  private answeredToMs: EpochMs = -Infinity;
  /** The first piece that is held, and how many there may be until the end of what is being read. */
  private base = 0;
  private open = 0;
  /** Numbers that count against the room. */
  private held = 0;
  private fromMs: EpochMs = 0;
  private toMs: EpochMs = 0;

  constructor(windows: readonly RangeWindow[], queries: readonly PlacedQuery[], room: RangeRoom) {
    this.windows = windows;
    this.queries = queries;
    this.room = room;
    this.pieces = new Pieces(windows);
    const aggregations = queries.map(({ query }) => query.aggregation);
    this.isGrouped = queries[0]!.query.groupBy.length > 0;
    this.isShare = queries[0]!.query.subject.kind === 'share';
    this.keepsValues = aggregations.some(isOfValues);
    this.needs = needsOf(
      aggregations.filter((aggregation) => !isOfValues(aggregation)),
      this.isShare,
    );
    this.portion = new Accumulator(this.needs);
    this.order = orderByEnd(windows);
    this.neededFrom = new Uint32Array(windows.length + 1).fill(this.pieces.count);
    for (let i = windows.length - 1; i >= 0; i--) {
      const window = this.order[i]!;
      const isEmpty = this.pieces.firstOf[window] === this.pieces.endOf[window];
      this.neededFrom[i] = isEmpty ? this.neededFrom[i + 1]! : Math.min(this.pieces.firstOf[window]!, this.neededFrom[i + 1]!);
    }
  }

  /** What is added from now on is in `[fromMs, toMs)`. */
  begin(fromMs: EpochMs, toMs: EpochMs): void {
    if (this.isDone || this.failure !== null) return;
    this.fromMs = fromMs;
    this.toMs = toMs;
    const gathered = this.series.reduce((count) => count + 1, 0);
    this.release();
    this.open = Math.max(0, Math.min(this.pieces.count, this.pieces.at(toMs - 1) + 1) - this.base);
    this.takeRoom(gathered);
  }

  /** Whether it wants anything of `[fromMs, toMs]`. */
  wants(fromMs: EpochMs, toMs: EpochMs): boolean {
    const { edges } = this.pieces;
    return this.failure === null && !this.isDone && this.pieces.count > 0 && toMs >= edges[0]! && fromMs < edges.at(-1)!;
  }

  /** Adds samples `[from, to)` of one series. */
  add(series: number, values: Float64Array, times: Float64Array, from: number, to: number): void {
    if (this.failure !== null || (this.chosen !== null && !this.chosen.has(series))) return;
    const { fromMs, toMs, pieces } = this;
    let piece = 0;
    for (let start = from, end: number; start < to; start = end) {
      const atMs = times[start]!;
      end = start + 1;
      if (atMs < fromMs || atMs >= toMs) continue;
      piece = pieces.at(atMs, Math.max(0, piece));
      if (piece < 0 || piece >= pieces.count || pieces.cover[piece] === 0) continue;
      const firstMs = Math.max(fromMs, pieces.edges[piece]!);
      const endMs = Math.min(toMs, pieces.edges[piece + 1]!);
      while (end < to && times[end]! >= firstMs && times[end]! < endMs) end++;
      this.addPortion(series, piece, values, times, start, end);
      if (this.failure !== null) return;
    }
  }

  /** Answers all windows that end by then, of which everything was added. */
  *answer(toMs: EpochMs, isLast: boolean): Generator<undefined, void> {
    if (isLast) this.isDone = true;
    if (this.failure !== null || this.isCounting) return;
    // Long windows hold much more than was added since: to look through it every time would cost more than to keep a little more.
    if (!isLast && toMs - this.answeredToMs < this.pieces.longestMs / 2) return;
    this.answeredToMs = toMs;
    let end = this.done;
    while (end < this.order.length && this.windows[this.order[end]!]!.toMs <= toMs) end++;
    if (end === this.done) return;
    const shift = this.neededFrom[end]! - this.base;
    for (const series of this.series) {
      if (series === undefined || series.isEmpty) continue;
      yield* this.answerSeries(series, this.order.subarray(this.done, end));
      const before = series.values?.count ?? 0;
      series.isEmpty = !series.cells.shift(shift);
      series.values?.shift(shift);
      this.room.values -= before - (series.values?.count ?? 0);
      yield;
    }
    this.done = end;
    this.base += shift;
  }

  /** Begins anew, and gathers these series alone. */
  choose(series: readonly number[]): void {
    this.chosen = new Set(series);
    this.isCounting = false;
    this.isDone = false;
    this.done = 0;
    this.base = 0;
    this.answeredToMs = -Infinity;
  }

  fail(code: NonNullable<RangeLane['failure']>): void {
    this.forget();
    this.failure = code;
    this.seriesCount = 0;
  }

  /** One that has nothing to answer with but emptiness. */
  emptySeries(): LaneSeries {
    const length = this.windows.length;
    return {
      cells: new PieceCells(this.needs),
      values: this.keepsValues ? new PieceValues() : null,
      isEmpty: true,
      samples: new Float64Array(length),
      answers: this.queries.map(({ query }) => new Float64Array(length).fill(AGGREGATION_FACTS[query.aggregation].emptyValue ?? NaN)),
    };
  }

  private addPortion(number: number, piece: number, values: Float64Array, times: Float64Array, from: number, to: number): void {
    if (this.isGrouped && this.chosen === null) this.count(number, (to - from) * this.pieces.cover[piece]!);
    if (this.isCounting) return;
    let series = this.series[number];
    if (series === undefined) {
      if (!this.takeRoom(1)) return;
      series = this.emptySeries();
      this.series[number] = series;
    }
    const { portion } = this;
    portion.reset();
    portion.add(values, times, from, to);
    series.isEmpty = false;
    series.cells.add(piece - this.base, portion);
    if (series.values === null) return;
    series.values.append(values, from, to, piece - this.base);
    this.room.values += to - from;
    if (this.room.values > this.room.bounds.values) this.fail('too_many_points');
  }

  private count(series: number, samples: number): void {
    if (series >= this.counts.length) {
      const counts = new Float64Array(Math.max(series + 1, this.counts.length * 2));
      counts.set(this.counts);
      this.counts = counts;
    }
    if (this.counts[series] === 0) this.seriesCount += 1;
    this.counts[series]! += samples;
  }

  /** For so many series. Without room it goes on counting alone. */
  private takeRoom(series: number): boolean {
    const { room } = this;
    const numbers = series * (cellSize(this.needs) * this.open + (1 + this.queries.length) * this.windows.length);
    if (this.chosen === null && room.numbers + numbers > room.bounds.numbers) {
      this.forget();
      this.isCounting = true;
      return false;
    }
    room.numbers += numbers;
    this.held += numbers;
    return true;
  }

  private release(): void {
    this.room.numbers -= this.held;
    this.held = 0;
  }

  private forget(): void {
    this.release();
    for (const series of this.series) {
      this.room.values -= series?.values?.count ?? 0;
      series?.values?.release();
    }
    this.series.length = 0;
  }

  private *answerSeries(series: LaneSeries, windows: Uint32Array): Generator<undefined, void> {
    const { pieces, base } = this;
    const tree = new CellTree(this.needs);
    tree.build(series.cells, this.open);
    const ofWindow = new Accumulator(this.needs);
    const byCells = this.queries.flatMap(({ query }, at) =>
      isOfValues(query.aggregation) ? [] : [{ query, answers: series.answers[at]! }],
    );
    for (let at = 0; at < windows.length; at++) {
      const window = windows[at]!;
      ofWindow.reset();
      tree.addTo(ofWindow, pieces.firstOf[window]! - base, pieces.endOf[window]! - base);
      if (ofWindow.samples === 0) continue;
      series.samples[window] = ofWindow.samples;
      const { fromMs, toMs } = this.windows[window]!;
      for (const { query, answers } of byCells) {
        answers[window] = ofWindow.answer(query.aggregation, this.isShare, query.ratePerMs / (toMs - fromMs)) ?? NaN;
      }
      if (at % WINDOWS_AT_ONCE === WINDOWS_AT_ONCE - 1) yield;
    }
    if (series.values === null) return;
    const starts = series.values.arrange(this.open);
    const placesOf = (bounds: Uint32Array): Uint32Array => windows.map((window) => starts[Math.max(0, bounds[window]! - base)]!);
    const stretches = { windows, from: placesOf(pieces.firstOf), to: placesOf(pieces.endOf) };
    yield* answerValues(this.queries, series, stretches, this.room.bounds.overlap);
  }
}

function orderByEnd(windows: readonly RangeWindow[]): Uint32Array {
  const order = Uint32Array.from(windows.keys());
  const isInOrder = windows.every(({ toMs }, at) => at === 0 || toMs >= windows[at - 1]!.toMs);
  return isInOrder ? order : order.sort((a, b) => windows[a]!.toMs - windows[b]!.toMs);
}
