import type { EpochMs, MetricQuery, QueryResult, SeriesReading, Subject, WindowedQuery } from '@tocsin/domain';
import type { Segment } from '../codec/decode.ts';
import { Accumulator, type Needs, needsOf } from './accumulator.ts';
import { Grouping } from './grouping.ts';
import type { Partials } from './partials.ts';
import { ensureRoom, samples, type Samples } from './scratch.ts';
import { SegmentColumns } from './segment-columns.ts';
import { type Selected, Selection } from './selection.ts';
import { takeSamples } from './subject-samples.ts';

/** What all queries over one window of one subject, selection and group-by gather together. */
interface Window {
  /** Names the selection, the subject and the needs, wherever they are asked for again. */
  key: string;
  fromMs: EpochMs;
  toMs: EpochMs;
  queries: { query: WindowedQuery; place: number }[];
  needs: Needs;
  /** By series; one without group-by. */
  accumulators: (Accumulator | undefined)[];
}

interface GroupedWindows {
  grouping: Grouping | null;
  windows: Window[];
}

interface Sampling {
  subject: Subject;
  groups: GroupedWindows[];
}

interface SelectedSamplings {
  selection: Selection;
  fromMs: EpochMs;
  toMs: EpochMs;
  samplings: Sampling[];
}

const COLUMNS = new SegmentColumns();
const TAKEN = samples();
const IN_WINDOW = samples();
const NO_TIMES = new Float64Array(0);
let sampleTimes = new Float64Array(0);

/**
 * A tenant's queries as one pass: equal filters are tested once a segment, equal subjects read once, equal group-bys split once, and all
 * aggregations of a window fed together. Segments may come in any order and division: the answers are the same in every bit.
 */
export class Plan {
  private readonly selections: SelectedSamplings[];
  private readonly size: number;
  // One segment is handled at a time, so all plans share the room for it.
  private readonly columns = COLUMNS;
  private readonly taken = TAKEN;
  private readonly inWindow = IN_WINDOW;
  private selected: Selected | null = null;
  private isTaken = false;
  private segment: Segment | null = null;
  private isOpen = false;

  constructor(queries: readonly WindowedQuery[]) {
    this.size = queries.length;
    this.selections = compile(queries);
  }

  add(segment: Segment): void {
    if (segment.rows === 0) return;
    this.segment = segment;
    this.isOpen = false;
    for (const selection of this.selections) {
      if (segment.maxTs < selection.fromMs || segment.minTs >= selection.toMs) continue;
      this.selected = null;
      for (const { subject, groups } of selection.samplings) {
        this.isTaken = false;
        for (const { grouping, windows } of groups) {
          for (const window of windows) {
            if (segment.maxTs >= window.fromMs && segment.minTs < window.toMs) this.feed(selection.selection, subject, grouping, window);
          }
        }
      }
    }
  }

  /** One result a query, in the order asked. */
  results(maxSeries: number): QueryResult[] {
    const results = new Array<QueryResult>(this.size);
    for (const { samplings } of this.selections) {
      for (const { subject, groups } of samplings) {
        for (const { grouping, windows } of groups) {
          for (const window of windows) {
            for (const { query, place } of window.queries) results[place] = resultOf(query, subject, grouping, window, maxSeries);
          }
        }
      }
    }
    return results;
  }

  private feed(selection: Selection, subject: Subject, grouping: Grouping | null, window: Window): void {
    const segment = this.segment!;
    const isWhole = segment.minTs >= window.fromMs && segment.maxTs < window.toMs;
    if (grouping === null && isWhole && segment.partials !== null) {
      accumulatorOf(window, 0).merge(this.partial(segment.partials, selection, subject, window));
      return;
    }
    this.take(selection, subject);
    const taken = isWhole ? this.taken : this.cut(window);
    if (taken.count === 0) return;
    if (grouping === null) {
      this.fill(accumulatorOf(window, 0), subject, taken, 0, taken.count);
      return;
    }
    for (const { series, from, to } of grouping.split(this.columns, taken))
      this.fill(accumulatorOf(window, series), subject, grouping.sorted, from, to);
  }

  /** What the window's queries find in the whole segment, from before or for next time. */
  private partial(partials: Partials, selection: Selection, subject: Subject, { key, needs }: Window): Accumulator {
    const known = partials.get(key);
    if (known !== undefined) return known;
    const partial = new Accumulator(needs);
    this.take(selection, subject);
    if (this.taken.count > 0) this.fill(partial, subject, this.taken, 0, this.taken.count);
    partials.set(key, partial);
    return partial;
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

  private fill(accumulator: Accumulator, subject: Subject, taken: Samples, from: number, to: number): void {
    if (subject.kind === 'dim') accumulator.addTexts(taken.values, from, to, this.columns.dim(subject.dim)!.texts);
    else accumulator.add(taken.values, accumulator.needs.last ? this.timesOf(taken) : NO_TIMES, from, to);
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

  private timesOf({ count, rows }: Samples): Float64Array {
    if (sampleTimes.length < count) sampleTimes = new Float64Array(count * 2);
    const times = this.columns.times();
    for (let i = 0; i < count; i++) sampleTimes[i] = times[rows[i]!]!;
    return sampleTimes;
  }
}

function accumulatorOf(window: Window, series: number): Accumulator {
  return (window.accumulators[series] ??= new Accumulator(window.needs));
}

function resultOf({ query }: WindowedQuery, subject: Subject, grouping: Grouping | null, window: Window, maxSeries: number): QueryResult {
  const isShare = subject.kind === 'share';
  const perWindow = query.ratePerMs / query.windowMs;
  const read = (accumulator: Accumulator, labels: SeriesReading['labels']): SeriesReading => ({
    labels,
    value: accumulator.answer(query.aggregation, isShare, perWindow),
    samples: accumulator.samples,
  });
  if (grouping === null) return { kind: 'series', series: [read(window.accumulators[0] ?? new Accumulator(window.needs), {})], dropped: 0 };
  const present = window.accumulators.flatMap((accumulator, series) => (accumulator === undefined ? [] : [{ accumulator, series }]));
  // Series are numbered as segments came: their values, not their numbers, decide between equals.
  present.sort(
    (a, b) => b.accumulator.samples - a.accumulator.samples || compareTexts(grouping.series[a.series]!, grouping.series[b.series]!),
  );
  const series = present.slice(0, maxSeries).map((each) => read(each.accumulator, grouping.labels(each.series)));
  return { kind: 'series', series, dropped: present.length - series.length };
}

function compareTexts(a: readonly string[], b: readonly string[]): number {
  const place = a.findIndex((text, index) => text !== b[index]);
  return place === -1 ? 0 : a[place]! < b[place]! ? -1 : 1;
}

function compile(queries: readonly WindowedQuery[]): SelectedSamplings[] {
  const placed = queries.map((query, place) => ({ query, place }));
  return by(placed, ({ query: { query } }) => JSON.stringify([query.name, query.filters])).map((same): SelectedSamplings => {
    const { name, filters } = same[0]!.query.query;
    return {
      selection: new Selection(name, filters),
      fromMs: Math.min(...same.map(({ query }) => fromOf(query))),
      toMs: Math.max(...same.map(({ query }) => query.endMs)),
      samplings: by(same, ({ query }) => JSON.stringify(query.query.subject)).map((ofSubject) => ({
        subject: ofSubject[0]!.query.query.subject,
        groups: by(ofSubject, ({ query }) => JSON.stringify(query.query.groupBy)).map(compileGroup),
      })),
    };
  });
}

function compileGroup(queries: Window['queries']): GroupedWindows {
  const { groupBy } = queries[0]!.query.query;
  return {
    grouping: groupBy.length === 0 ? null : new Grouping(groupBy),
    windows: by(queries, ({ query }) => `${fromOf(query)} ${query.endMs}`).map((same): Window => {
      const [{ query }] = same as [Window['queries'][number]];
      const needs = needsOf(
        same.map((each) => each.query.query.aggregation),
        query.query.subject.kind === 'share',
      );
      return { key: keyOf(query.query, needs), fromMs: fromOf(query), toMs: query.endMs, queries: same, needs, accumulators: [] };
    }),
  };
}

function keyOf({ name, filters, subject }: MetricQuery, needs: Needs): string {
  const key = JSON.stringify([name, filters, subject, Object.values(needs)]);
  const known = keys.get(key);
  if (known !== undefined) return known;
  if (keys.size >= MAX_KEYS) keys.clear();
  keys.set(key, key);
  return key;
}

/** Equal keys as one string, which is found in a map without comparing its letters. */
const keys = new Map<string, string>();
const MAX_KEYS = 100_000;

function fromOf({ query, endMs }: WindowedQuery): EpochMs {
  return endMs - query.windowMs;
}

function by<T>(items: readonly T[], key: (item: T) => string): T[][] {
  return [...Map.groupBy(items, key).values()];
}
