import type { RangeQuery, RangeWindow, Subject } from '@tocsin/domain';
import { by, wordsOf } from '../compile-plan.ts';
import { Grouping } from '../grouping.ts';
import type { Selection } from '../selection.ts';
import { longOf, type PlacedQuery } from './lane-plan.ts';
import { RangeLane } from './range-lane.ts';
import type { RangeRoom } from './range-room.ts';
import { TextNumbers } from './text-numbers.ts';

export interface RangeGroup {
  grouping: Grouping | null;
  lanes: RangeLane[];
}

interface RangeSampling {
  subject: Subject;
  /** Of a dimension's texts. */
  texts: TextNumbers;
  groups: RangeGroup[];
}

export interface RangeSelection {
  selection: Selection;
  samplings: RangeSampling[];
}

/** Brings together what the queries share, like `compilePlan`: selections, then subjects, then group-bys, then lists of windows. What is read from hours does not share with what is not. */
export function compileRange(queries: readonly RangeQuery[], room: RangeRoom): RangeSelection[] {
  const placed = queries.map(({ query, windows }, place) => ({ query, windows, place, words: wordsOf(query) }));
  return by(placed, ({ words }) => words.selection).map((same): RangeSelection => ({
    selection: same[0]!.words.compiled,
    samplings: by(same, ({ words }) => words.subject).map((ofSubject) => ({
      subject: ofSubject[0]!.query.subject,
      texts: new TextNumbers(),
      groups: by(ofSubject, ({ words }) => words.groupBy).map((ofGroup): RangeGroup => {
        const { groupBy } = ofGroup[0]!.query;
        return { grouping: groupBy.length === 0 ? null : new Grouping(groupBy), lanes: lanesOf(ofGroup, room) };
      }),
    })),
  }));
}

function lanesOf(queries: readonly (PlacedQuery & { windows: readonly RangeWindow[] })[], room: RangeRoom): RangeLane[] {
  const lanes: { windows: readonly RangeWindow[]; isLong: boolean; queries: PlacedQuery[] }[] = [];
  for (const { query, windows, place } of queries) {
    const isLong = longOf(windows, query) !== null;
    const lane = lanes.find((each) => each.isLong === isLong && areSame(each.windows, windows));
    if (lane === undefined) lanes.push({ windows, isLong, queries: [{ query, place }] });
    else lane.queries.push({ query, place });
  }
  return lanes.map((lane) => new RangeLane(lane.windows, lane.queries, room));
}

function areSame(some: readonly RangeWindow[], others: readonly RangeWindow[]): boolean {
  if (some === others) return true;
  return some.length === others.length && some.every(({ fromMs, toMs }, at) => fromMs === others[at]!.fromMs && toMs === others[at]!.toMs);
}
