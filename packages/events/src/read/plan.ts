import type { QueryResult, Subject } from '@tocsin/domain';
import type { Segment } from '../codec/decode.ts';
import { type HourSums, mostSamples, NO_SUMS } from '../hours/hour-sums.ts';
import { Accumulator } from './accumulator.ts';
import type { Needs } from './needs.ts';
import { answerWindows } from './answer-windows.ts';
import { compilePlan, type PlannedQuery, type SelectedSamplings, type Window } from './compile-plan.ts';
import type { Grouping } from './grouping.ts';
import type { KeptSegments } from './kept-segments.ts';
import { ensureRoom, samples, type Samples } from './scratch.ts';
import { SegmentColumns } from './segment-columns.ts';
import { type Selected, type Selection } from './selection.ts';
import { SeriesRoom } from './series-room.ts';
import { takeSamples } from './subject-samples.ts';
import { addKnown, markOverlapping, markUnknown, partOf } from './window-parts.ts';

const COLUMNS = new SegmentColumns();
const TAKEN = samples();
const IN_WINDOW = samples();
const AFTER_CUT = samples();
const NO_TIMES = new Float64Array(0);
let sampleTimes = new Float64Array(0);
/** By place among the slots at hand: 1 where the segment has to be opened. */
let toOpen = new Uint8Array(0);

/**
 * A tenant's queries as one pass: equal filters are tested once a segment, equal subjects read once, equal group-bys split once, and all
 * aggregations of a window fed together. Segments may come in any order and division: the answers are the same in every bit.
 */
export class Plan {
  private readonly selections: SelectedSamplings[];
  private readonly ungrouped: Window[] = [];
  private readonly grouped: Window[] = [];
  readonly size: number;
  private readonly room: SeriesRoom;
  // One segment is handled at a time, so all plans share the room for it.
  private readonly columns = COLUMNS;
  private readonly taken = TAKEN;
  private readonly inWindow = IN_WINDOW;
  private selected: Selected | null = null;
  private isTaken = false;
  private segment: Segment | null = null;
  private isOpen = false;

  constructor(queries: readonly PlannedQuery[], room: SeriesRoom = new SeriesRoom(Infinity)) {
    this.size = queries.length;
    this.room = room;
    this.selections = compilePlan(queries);
    const groups = this.selections.flatMap(({ samplings }) => samplings.flatMap((sampling) => sampling.groups));
    for (const { grouping, windows } of groups) (grouping === null ? this.ungrouped : this.grouped).push(...windows);
    room.windows.push(...this.grouped);
    for (const { grouping, windows } of groups) for (const window of windows) this.addSums(grouping, window);
  }

  get windows(): readonly Window[] {
    return [...this.ungrouped, ...this.grouped];
  }

  /** A segment of which nothing is kept. */
  add(segment: Segment): void {
    if (segment.rows > 0) this.pass(segment, null, 0);
  }

  /**
   * Segments that were kept. A window adds up what was found before in those it holds whole and in the pieces it cuts off; only what was not
   * seen yet, or is cut elsewhere, is opened.
   */
  addKept(kept: KeptSegments, slots: readonly number[]): void {
    const { grouped, ungrouped } = this;
    for (const window of ungrouped) window.partials = kept.partials(window.key, window.needs);
    if (toOpen.length < slots.length) toOpen = new Uint8Array(slots.length * 2);
    toOpen.fill(0, 0, slots.length);
    for (const window of grouped) if (!window.isGivenUp) markOverlapping(window, kept, slots, toOpen);
    for (const window of ungrouped) markUnknown(window, kept, slots, toOpen);
    for (let i = 0; i < slots.length; i++) {
      const segment = kept.segments[slots[i]!]!;
      if (toOpen[i] === 1 && segment.rows > 0) this.pass(segment, kept, slots[i]!);
    }
    for (const window of ungrouped) addKnown(window, kept, slots, accumulatorOf(window, 0));
  }

  private pass(segment: Segment, kept: KeptSegments | null, slot: number): void {
    this.segment = segment;
    this.isOpen = false;
    for (const selection of this.selections) {
      if (segment.maxTs < selection.fromMs || segment.minTs >= selection.toMs) continue;
      this.selected = null;
      for (const { subject, groups } of selection.samplings) {
        this.isTaken = false;
        for (const { grouping, windows } of groups) {
          for (const window of windows) {
            if (segment.maxTs < window.fromMs || segment.minTs >= window.toMs) continue;
            const isWhole = segment.minTs >= window.fromMs && segment.maxTs < window.toMs;
            const part = kept === null || grouping !== null ? null : partOf(window, kept, slot);
            if (part === null) this.feed(selection.selection, subject, grouping, window, isWhole);
            else if (!window.partials!.has(slot, part)) this.keep(selection.selection, subject, window, kept!, slot);
          }
        }
      }
    }
  }

  /** One result a query, in the order asked. Ends the plan. */
  results(maxSeries: number): QueryResult[] {
    const results = new Array<QueryResult>(this.size);
    for (const _ of this.answering(maxSeries, results));
    return results;
  }

  /** The same, window by window: each that was worked on. */
  answering(maxSeries: number, results: QueryResult[]): Generator<Window, void> {
    const { atMost } = this.room;
    const message = `the rules of the tenant look at more than ${atMost} series together; queries of the most series are not answered`;
    return answerWindows(this.selections, maxSeries, { kind: 'failed', code: 'too_many_series', message }, results);
  }

  /** What each query's window adds up to, in the order asked. Ends the plan. */
  sums(maxSeries: number): HourSums[] {
    const results = new Array<HourSums>(this.size);
    for (const { samplings } of this.selections) {
      for (const { grouping, windows } of samplings.flatMap(({ groups }) => groups)) {
        for (const { accumulators, queries, isGivenUp } of windows) {
          const series = accumulators.flatMap((each, number) => each?.sums(grouping === null ? [] : grouping.series[number]!) ?? []);
          const found = isGivenUp ? { ...NO_SUMS, hasTooMany: true } : mostSamples(series, maxSeries, 0);
          for (const { place } of queries) results[place] = found;
          for (const accumulator of accumulators) accumulator?.release();
        }
      }
    }
    return results;
  }

  /** Puts what is not read into the window. */
  private addSums(grouping: Grouping | null, window: Window): void {
    for (const { series } of window.sums ?? []) {
      for (const sums of series) {
        if (window.isGivenUp) return;
        if (grouping === null) accumulatorOf(window, 0).addSums(sums);
        else this.seriesOf(window, grouping.numberOf(sums.values, sums.key)).addSums(sums);
      }
      if (this.room.taken > this.room.atMost) this.room.makeRoom();
    }
  }

  private feed(selection: Selection, subject: Subject, grouping: Grouping | null, window: Window, isWhole: boolean): void {
    if (window.isGivenUp) return;
    window.segments += 1;
    window.events += this.segment!.rows;
    this.take(selection, subject);
    const taken = isWhole ? this.taken : this.cut(window);
    if (taken.count === 0) return;
    if (grouping === null) {
      this.fill(accumulatorOf(window, 0), subject, taken, 0, taken.count, this.timesFor(window.needs, taken));
      return;
    }
    const groups = grouping.split(this.columns, taken);
    const times = this.timesFor(window.needs, grouping.sorted);
    for (const { series, from, to } of groups) this.fill(this.seriesOf(window, series), subject, grouping.sorted, from, to, times);
    if (this.room.taken > this.room.atMost) this.room.makeRoom();
  }

  private seriesOf(window: Window, series: number): Accumulator {
    const known = window.accumulators[series];
    if (known !== undefined) return known;
    window.series += 1;
    this.room.taken += 1;
    return accumulatorOf(window, series);
  }

  /** Keeps what the window's queries find in the whole segment, or in each of its pieces, for this time and the next. */
  private keep(selection: Selection, subject: Subject, window: Window, kept: KeptSegments, slot: number): void {
    const { needs, partials } = window;
    window.events += this.segment!.rows;
    const [first, second] = scratchOf(needs);
    const cutMs = kept.cuts[slot]!;
    this.take(selection, subject);
    const { taken } = this;
    if (Number.isNaN(cutMs)) {
      this.fill(first, subject, taken, 0, taken.count, this.timesFor(needs, taken));
      kept.keepPartial(partials!, slot, first, null);
    } else {
      this.splitAt(cutMs);
      this.fill(first, subject, this.inWindow, 0, this.inWindow.count, this.timesFor(needs, this.inWindow));
      this.fill(second, subject, AFTER_CUT, 0, AFTER_CUT.count, this.timesFor(needs, AFTER_CUT));
      kept.keepPartial(partials!, slot, first, second);
      second.reset();
    }
    first.reset();
  }

  /** Puts the subject's samples of the segment at hand into `taken`, unless they are there. */
  private take(selection: Selection, subject: Subject): void {
    if (this.isTaken) return;
    this.isTaken = true;
    if (!this.isOpen) this.columns.open(this.segment!);
    this.isOpen = true;
    this.selected ??= selection.select(this.columns);
    this.taken.count = 0;
    if (this.selected === 'all' || this.selected.count > 0) takeSamples(subject, this.columns, this.selected, this.taken);
  }

  private fill(accumulator: Accumulator, subject: Subject, taken: Samples, from: number, to: number, times: Float64Array): void {
    if (from === to) return;
    if (subject.kind === 'dim') accumulator.addTexts(taken.values, from, to, this.columns.dim(subject.dim)!.texts);
    else accumulator.add(taken.values, times, from, to);
  }

  /** The samples that lie in the window. */
  private cut({ fromMs, toMs }: Window): Samples {
    const { taken, inWindow } = this;
    ensureRoom(inWindow, taken.count);
    const times = this.columns.times();
    let count = 0;
    for (let i = 0; i < taken.count; i++) {
      const row = taken.rows[i]!;
      const atMs = times[row]!;
      if (atMs < fromMs || atMs >= toMs) continue;
      inWindow.values[count] = taken.values[i]!;
      inWindow.rows[count++] = row;
    }
    inWindow.count = count;
    return inWindow;
  }

  /** The samples before the cut into `inWindow`, the others into `AFTER_CUT`. */
  private splitAt(cutMs: number): void {
    const { taken, inWindow } = this;
    ensureRoom(inWindow, taken.count);
    ensureRoom(AFTER_CUT, taken.count);
    const times = this.columns.times();
    for (let i = 0; i < taken.count; i++) {
      const row = taken.rows[i]!;
      const to = times[row]! < cutMs ? inWindow : AFTER_CUT;
      to.values[to.count] = taken.values[i]!;
      to.rows[to.count++] = row;
    }
  }

  /** The time of each sample, where somebody needs it; until the next call. */
  private timesFor({ last }: Needs, { count, rows }: Samples): Float64Array {
    if (!last || count === 0) return NO_TIMES;
    if (sampleTimes.length < count) sampleTimes = new Float64Array(count * 2);
    const times = this.columns.times();
    for (let i = 0; i < count; i++) sampleTimes[i] = times[rows[i]!]!;
    return sampleTimes;
  }
}

function accumulatorOf(window: Window, series: number): Accumulator {
  return (window.accumulators[series] ??= new Accumulator(window.needs, window.sums !== null));
}

/** Used for one segment at a time. */
const scratch = new Map<Needs, [Accumulator, Accumulator]>();

function scratchOf(needs: Needs): [Accumulator, Accumulator] {
  let found = scratch.get(needs);
  if (found === undefined) {
    found = [new Accumulator(needs), new Accumulator(needs)];
    scratch.set(needs, found);
  }
  return found;
}
