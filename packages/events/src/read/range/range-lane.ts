import type { EpochMs, RangeWindow } from '@tocsin/domain';
import { HOUR_MS, hourOf } from '../../hours/hour.ts';
import type { SeriesSums } from '../../hours/hour-sums.ts';
import { Accumulator } from '../accumulator.ts';
import { cellSize } from '../needs.ts';
import { answerSeries } from './answer-series.ts';
import { heldOf, LanePlan, type LaneSeries, type PlacedQuery } from './lane-plan.ts';
import type { RangeRoom } from './range-room.ts';

/**
 * Queries over the same windows of the same subject, selection and group-by. Gathers samples by series and piece, and answers windows as soon
 * as all before their ends is read, so that no more is held than the windows that are still open. Where the series take too much room it only
 * counts them, for a second pass over those of most samples.
 */
export class RangeLane {
  readonly plan: LanePlan;
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
  /** The most series that any hour left out. */
  droppedByHours = 0;
  private chosen: ReadonlySet<number> | null = null;
  private readonly portion: Accumulator;
  private readonly room: RangeRoom;
  /** How many windows are answered. */
  private done = 0;
  private answeredToMs: EpochMs = -Infinity;
  /** The first piece that is held, and how many there may be until the end of what is being read. */
  private base = 0;
  private open = 0;
  /** Numbers that count against the room. */
  private held = 0;
  private fromMs: EpochMs = 0;
  private toMs: EpochMs = 0;
  /** Hours of what is being read whose events are known from their sums. */
  private readonly summedUp = new Set<EpochMs>();

  constructor(windows: readonly RangeWindow[], queries: readonly PlacedQuery[], room: RangeRoom) {
    this.plan = new LanePlan(windows, queries);
    this.portion = new Accumulator(this.plan.needs);
    this.room = room;
  }

  /** What is added from now on is in `[fromMs, toMs)`. */
  begin(fromMs: EpochMs, toMs: EpochMs): void {
    if (this.isDone || this.failure !== null) return;
    this.fromMs = fromMs;
    this.toMs = toMs;
    this.summedUp.clear();
    const gathered = this.series.reduce((count) => count + 1, 0);
    this.release();
    const { pieces } = this.plan;
    this.open = Math.max(0, Math.min(pieces.count, pieces.at(toMs - 1) + 1) - this.base);
    this.takeRoom(gathered);
  }

  /** Whether it wants anything of `[fromMs, toMs]`. */
  wants(fromMs: EpochMs, toMs: EpochMs): boolean {
    const { edges, count } = this.plan.pieces;
    return this.failure === null && !this.isDone && count > 0 && toMs >= edges[0]! && fromMs < edges.at(-1)!;
  }

  /** Stretches of what is being read in whose hours sums would do. */
  hours(): RangeWindow[] {
    const isReading = this.plan.isLong !== null && !this.isDone && this.failure === null;
    return isReading ? this.plan.pieces.hours(this.fromMs, this.toMs) : [];
  }

  /** Of an hour of those everything is known. The events of it do not count from now on. */
  takeHour(hourMs: EpochMs): void {
    this.summedUp.add(hourMs);
  }

  /** Whether it takes the events of `[fromMs, toMs)`, a part of an hour, to answer. */
  needsEvents(fromMs: EpochMs, toMs: EpochMs): boolean {
    if (this.isDone || this.failure !== null || this.summedUp.has(hourOf(fromMs))) return false;
    return this.plan.pieces.holds(fromMs, toMs);
  }

  /** Adds what one series has in an hour that was taken. */
  addHour(number: number, hourMs: EpochMs, sums: SeriesSums): void {
    if (this.failure !== null || (this.chosen !== null && !this.chosen.has(number))) return;
    const piece = this.plan.pieces.at(hourMs);
    const series = this.gathering(number, sums.samples * this.plan.pieces.cover[piece]!);
    if (series === null) return;
    const before = heldOf(series);
    this.portion.reset();
    this.portion.addSums(sums);
    series.cells.add(piece - this.base, this.portion);
    series.classes?.appendHour(sums, piece - this.base);
    this.holdMore(heldOf(series) - before);
  }

  /** Adds samples `[from, to)` of one series. */
  add(series: number, values: Float64Array, times: Float64Array, from: number, to: number): void {
    if (this.failure !== null || (this.chosen !== null && !this.chosen.has(series))) return;
    const { fromMs, toMs } = this;
    const { pieces } = this.plan;
    let piece = 0;
    for (let start = from, end: number; start < to; start = end) {
      const atMs = times[start]!;
      end = start + 1;
      if (atMs < fromMs || atMs >= toMs) continue;
      piece = pieces.at(atMs, Math.max(0, piece));
      if (piece < 0 || piece >= pieces.count || pieces.cover[piece] === 0) continue;
      let firstMs = Math.max(fromMs, pieces.edges[piece]!);
      let endMs = Math.min(toMs, pieces.edges[piece + 1]!);
      if (this.summedUp.size > 0) {
        const hourMs = hourOf(atMs);
        if (this.summedUp.has(hourMs)) continue;
        firstMs = Math.max(firstMs, hourMs);
        endMs = Math.min(endMs, hourMs + HOUR_MS);
      }
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
    if (!isLast && toMs - this.answeredToMs < this.plan.pieces.longestMs / 2) return;
    this.answeredToMs = toMs;
    const { order, windows, neededFrom } = this.plan;
    let end = this.done;
    while (end < order.length && windows[order[end]!]!.toMs <= toMs) end++;
    if (end === this.done) return;
    const held = { base: this.base, open: this.open, overlap: this.room.bounds.overlap };
    const shift = neededFrom[end]! - this.base;
    for (const series of this.series) {
      if (series === undefined || series.isEmpty) continue;
      yield* answerSeries(this.plan, series, order.subarray(this.done, end), held);
      const before = heldOf(series);
      series.isEmpty = !series.cells.shift(shift);
      series.values?.shift(shift);
      series.classes?.shift(shift);
      this.room.values -= before - heldOf(series);
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
    this.droppedByHours = 0;
    this.answeredToMs = -Infinity;
  }

  fail(code: NonNullable<RangeLane['failure']>): void {
    this.forget();
    this.failure = code;
    this.seriesCount = 0;
  }

  private addPortion(number: number, piece: number, values: Float64Array, times: Float64Array, from: number, to: number): void {
    const { portion } = this;
    const { pieces } = this.plan;
    const [cover, exactCover] = [pieces.cover[piece]!, pieces.exactCover[piece]!];
    const series = this.gathering(number, (to - from) * cover);
    if (series === null) return;
    portion.reset();
    portion.add(values, times, from, to);
    series.cells.add(piece - this.base, portion);
    if (series.values === null && series.classes === null) return;
    const before = heldOf(series);
    if (exactCover > 0) series.values?.append(values, from, to, piece - this.base);
    if (cover > exactCover) series.classes?.append(values, from, to, piece - this.base);
    this.holdMore(heldOf(series) - before);
  }

  /** The series, for something to be added to it. Null: it is only counted. `samples`: each as often as windows hold it. */
  private gathering(number: number, samples: number): LaneSeries | null {
    if (this.plan.isGrouped && this.chosen === null) this.count(number, samples);
    if (this.isCounting) return null;
    let series = this.series[number];
    if (series === undefined) {
      if (!this.takeRoom(1)) return null;
      series = this.plan.emptySeries();
      this.series[number] = series;
    }
    series.isEmpty = false;
    return series;
  }

  private holdMore(values: number): void {
    this.room.values += values;
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
    const numbers = series * (cellSize(this.plan.needs) * this.open + (1 + this.plan.queries.length) * this.plan.windows.length);
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
      this.room.values -= series === undefined ? 0 : heldOf(series);
      series?.values?.release();
      series?.classes?.release();
    }
    this.series.length = 0;
  }
}
