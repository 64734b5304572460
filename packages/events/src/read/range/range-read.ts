import type { EpochMs, RangeQuery, RangeResult, RangeSeriesReading, RangeWindow } from '@tocsin/domain';
import type { Segment } from '../../codec/decode.ts';
import { HOUR_MS, hourOf } from '../../hours/hour.ts';
import type { KeptHour, WantedHours } from '../../hours/kept-hours.ts';
import { decodeSums } from '../../hours/sums-body.ts';
import { compareTexts } from '../answer-windows.ts';
import type { Grouping } from '../grouping.ts';
import { samples, type Samples } from '../scratch.ts';
import { SegmentColumns } from '../segment-columns.ts';
import type { Selected } from '../selection.ts';
import { takeSamples } from '../subject-samples.ts';
import { compileRange, type RangeGroup, type RangeSelection } from './compile-range.ts';
import type { RangeLane } from './range-lane.ts';
import type { RangeBounds, RangeRoom } from './range-room.ts';

const NO_TIMES = new Float64Array(0);
/** A text and its number weigh as much as so many values. */
const TEXT_VALUES = 8;

/** Hours whose sums would do for one lane. */
export interface RangeHours extends WantedHours {
  lane: RangeLane;
  grouping: Grouping | null;
}

export interface RangeLimits extends RangeBounds {
  /** Series that all queries of a request look at. */
  seriesPerRead: number;
}

/**
 * A request's queries as one pass over time, oldest first: what is given between `begin` and `end` may come in any order and division. A second
 * pass may be needed where there are too many series to gather at once.
 */
export class RangeRead {
  readonly lanes: readonly RangeLane[];
  private readonly selections: readonly RangeSelection[];
  private readonly groups: readonly RangeGroup[];
  private readonly limits: RangeLimits;
  private readonly maxSeries: number;
  private readonly room: RangeRoom;
  // Others may read segments while this one lets them have a turn.
  private readonly columns = new SegmentColumns();
  private readonly taken = samples();
  private times: Float64Array = NO_TIMES;

  constructor(queries: readonly RangeQuery[], maxSeries: number, limits: RangeLimits) {
    this.limits = limits;
    this.maxSeries = maxSeries;
    this.room = { bounds: limits, numbers: 0, values: 0 };
    this.selections = compileRange(queries, this.room);
    this.groups = this.selections.flatMap(({ samplings }) => samplings.flatMap(({ groups }) => groups));
    this.lanes = lanesOf(this.groups);
    this.failLargest();
  }

  /** The stretches of time to read, in any order; empty where nothing is to be read (any more). */
  spans(): RangeWindow[] {
    return this.lanes.filter(({ isDone, failure }) => !isDone && failure === null).flatMap(({ plan }) => plan.pieces.spans());
  }

  /** Whether series are only counted, since there is no room to gather all of them. */
  get needsSecondPass(): boolean {
    return this.lanes.some(({ isCounting }) => isCounting);
  }

  begin(fromMs: EpochMs, toMs: EpochMs): void {
    for (const lane of this.lanes) lane.begin(fromMs, toMs);
  }

  /** Of what is being read, what it would do to know the sums of. */
  wantedHours(): RangeHours[] {
    return this.groups.flatMap(({ grouping, lanes }) =>
      lanes.flatMap((lane) =>
        lane.hours().map((stretch): RangeHours => ({ query: lane.plan.queries[0]!.query, ...stretch, lane, grouping })),
      ),
    );
  }

  /** Answers the stretches of what is being read of which events are needed beside these hours. */
  take(hours: readonly KeptHour<RangeHours>[], { fromMs, toMs }: RangeWindow): RangeWindow[] {
    for (const { of, hourMs } of hours) of.lane.takeHour(hourMs);
    if (hours.length === 0) return [{ fromMs, toMs }];
    const left: RangeWindow[] = [];
    for (let startMs = fromMs, endMs: EpochMs; startMs < toMs; startMs = endMs) {
      endMs = Math.min(toMs, hourOf(startMs) + HOUR_MS);
      if (!this.lanes.some((lane) => lane.needsEvents(startMs, endMs))) continue;
      const last = left.at(-1);
      if (last?.toMs === startMs) last.toMs = endMs;
      else left.push({ fromMs: startMs, toMs: endMs });
    }
    return left;
  }

  /** Yields where others may have a turn. */
  *addHour({ of: { lane, grouping }, hourMs, body }: KeptHour<RangeHours>): Generator<undefined, void> {
    const { series, dropped, hasTooMany } = decodeSums(body);
    if (hasTooMany) lane.fail('too_many_series');
    else lane.droppedByHours = Math.max(lane.droppedByHours, dropped);
    for (const sums of series) lane.addHour(grouping === null ? 0 : grouping.numberOf(sums.values, sums.key), hourMs, sums);
    this.makeRoom();
    yield;
  }

  /** The same. */
  *add(segment: Segment): Generator<undefined, void> {
    if (segment.rows === 0) return;
    this.columns.open(segment);
    for (const { selection, samplings } of this.selections) {
      let selected: Selected | null = null;
      for (const { subject, texts, groups } of samplings) {
        const wanting = groups.filter(({ lanes }) => lanes.some((lane) => lane.wants(segment.minTs, segment.maxTs)));
        if (wanting.length === 0) continue;
        selected ??= selection.select(this.columns);
        if (selected !== 'all' && selected.count === 0) break;
        takeSamples(subject, this.columns, selected, this.taken);
        if (this.taken.count === 0) continue;
        if (subject.kind === 'dim') texts.number(this.taken.values, this.taken.count, this.columns.dim(subject.dim)!.texts);
        for (const group of wanting) this.addTo(group);
        if (this.room.values + TEXT_VALUES * texts.size > this.limits.values)
          for (const lane of lanesOf(groups)) lane.fail('too_many_points');
      }
      yield;
    }
  }

  /** All until `toMs` was added. */
  *end(toMs: EpochMs, isLast: boolean): Generator<undefined, void> {
    for (const lane of this.lanes) yield* lane.answer(toMs, isLast);
  }

  /** After a pass: where series were only counted, what is left to read are those of most samples. */
  choose(): void {
    this.failLargest();
    for (const { grouping, lanes } of this.groups) {
      for (const lane of lanes) if (lane.isCounting) lane.choose(this.answeredOf(lane, grouping));
    }
  }

  /** One a query, in the order asked. */
  results(): RangeResult[] {
    const results: RangeResult[] = [];
    for (const { grouping, lanes } of this.groups) {
      for (const lane of lanes) {
        const answered = lane.failure === null ? this.answeredOf(lane, grouping) : [];
        for (const [at, { place }] of lane.plan.queries.entries()) {
          results[place] = lane.failure === null ? resultOf(lane, at, grouping, answered) : this.failureOf(lane.failure);
        }
      }
    }
    return results;
  }

  private addTo({ grouping, lanes }: RangeGroup): void {
    if (grouping === null) {
      const times = this.timesOf(this.taken);
      for (const lane of lanes) lane.add(0, this.taken.values, times, 0, this.taken.count);
      return;
    }
    const runs = grouping.split(this.columns, this.taken);
    const times = this.timesOf(grouping.sorted);
    for (const { series, from, to } of runs) for (const lane of lanes) lane.add(series, grouping.sorted.values, times, from, to);
    this.makeRoom();
  }

  /** Until the next call. */
  private timesOf({ rows, count }: Samples): Float64Array {
    if (this.times.length < count) this.times = new Float64Array(count * 2);
    const all = this.columns.times();
    for (let i = 0; i < count; i++) this.times[i] = all[rows[i]!]!;
    return this.times;
  }

  /** Gives up those with the most series until the others fit; of equal ones the last, so that the same queries are answered every time. */
  private makeRoom(): void {
    const countOf = (): number => this.lanes.reduce((sum, { seriesCount }) => sum + seriesCount, 0);
    while (countOf() > this.limits.seriesPerRead) {
      this.lanes.reduce((most, lane) => (lane.seriesCount >= most.seriesCount ? lane : most)).fail('too_many_series');
    }
  }

  /** The same with those of the most points. */
  private failLargest(): void {
    const pointsOf = ({ failure, seriesCount, plan: { isGrouped, windows, queries } }: RangeLane): number =>
      failure === null ? (isGrouped ? Math.min(seriesCount, this.maxSeries) : 1) * windows.length * queries.length : 0;
    let points = this.lanes.reduce((sum, lane) => sum + pointsOf(lane), 0);
    while (points > this.limits.points) {
      const largest = this.lanes.reduce((most, lane) => (pointsOf(lane) >= pointsOf(most) ? lane : most));
      points -= pointsOf(largest);
      largest.fail('too_many_points');
    }
  }

  /** The numbers of the series that are answered, those of most samples first. */
  private answeredOf({ counts }: RangeLane, grouping: Grouping | null): number[] {
    if (grouping === null) return [0];
    // Series are numbered as segments came: their values, not their numbers, decide between equals.
    return [...grouping.series.keys()]
      .filter((series) => (counts[series] ?? 0) > 0)
      .sort((a, b) => counts[b]! - counts[a]! || compareTexts(grouping.series[a]!, grouping.series[b]!))
      .slice(0, this.maxSeries);
  }

  private failureOf(code: NonNullable<RangeLane['failure']>): RangeResult {
    const { seriesPerRead, points, values } = this.limits;
    const messages = {
      too_many_series: `the queries look at more than ${seriesPerRead} series together; those of the most series are not answered`,
      too_many_points: `the queries answer more than ${points} points together, or their windows hold more than ${values} values; ask for fewer or shorter windows`,
    };
    return { kind: 'failed', code, message: messages[code] };
  }
}

function lanesOf(groups: readonly RangeGroup[]): RangeLane[] {
  return groups.flatMap(({ lanes }) => lanes);
}

function resultOf(lane: RangeLane, at: number, grouping: Grouping | null, answered: readonly number[]): RangeResult {
  const series = answered.map((number): RangeSeriesReading => {
    const { answers, samples: counts } = lane.series[number] ?? lane.plan.emptySeries();
    return { labels: grouping?.labelsOf(grouping.series[number]!) ?? {}, values: answers[at]!, samples: counts };
  });
  const dropped = Math.max(0, lane.seriesCount - series.length) + lane.droppedByHours;
  return { kind: 'range', series, dropped, ...(lane.plan.isLong === null ? {} : { basis: 'hours' }) };
}
