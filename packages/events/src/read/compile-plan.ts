import type { EpochMs, MetricQuery, Subject, WindowedQuery } from '@tocsin/domain';
import type { HourSums } from '../hours/hour-sums.ts';
import type { Accumulator } from './accumulator.ts';
import { type Needs, needsOf } from './needs.ts';
import { Grouping } from './grouping.ts';
import type { KeptPartials } from './kept-partials.ts';
import { Selection } from './selection.ts';

/** A query of which only a part is read event by event. */
export interface PlannedQuery extends WindowedQuery {
  /** Where that part begins; absent: where the window does. */
  fromMs?: EpochMs;
  /** What the rest of the window adds up to. */
  sums?: readonly HourSums[];
  /** What is gathered; absent: what the aggregation needs. */
  needs?: Needs;
}

export interface PlannedRequest {
  tenantId: string;
  queries: readonly PlannedQuery[];
}

/** What all queries over one window of one subject, selection and group-by gather together. */
export interface Window {
  /** Names the selection, the subject and the needs, wherever they are asked for again. */
  key: string;
  fromMs: EpochMs;
  toMs: EpochMs;
  queries: { query: PlannedQuery; place: number }[];
  needs: Needs;
  /** What the part of it that is not read adds up to; null: all of it is read. */
  sums: readonly HourSums[] | null;
  /** By series; one without group-by. */
  accumulators: (Accumulator | undefined)[];
  /** How many of them there are, with a group-by. */
  series: number;
  /** It had too many: nothing is gathered for it, and its queries fail. */
  isGivenUp: boolean;
  /** Of the tenant whose kept segments are being read. */
  partials: KeptPartials | null;
  /** Segments it touched. */
  segments: number;
  /** Rows of the segments that were opened for it. */
  events: number;
  /** What its answer took, in milliseconds. */
  answerMs: number;
}

interface GroupedWindows {
  grouping: Grouping | null;
  windows: Window[];
}

interface Sampling {
  subject: Subject;
  groups: GroupedWindows[];
}

export interface SelectedSamplings {
  selection: Selection;
  fromMs: EpochMs;
  toMs: EpochMs;
  samplings: Sampling[];
}

/** A query's parts as texts, equal where the parts are. A rule's query is read again and again, so they are kept with it. */
interface Words {
  selection: string;
  subject: string;
  /** Selection and subject. */
  sampling: string;
  groupBy: string;
  compiled: Selection;
}

const wordsByQuery = new WeakMap<MetricQuery, Words>();

/** Brings together what the queries share: selections, then subjects, then group-bys, then windows. */
export function compilePlan(queries: readonly PlannedQuery[]): SelectedSamplings[] {
  const placed = queries.map((query, place) => ({ query, place, words: wordsOf(query.query) }));
  return by(placed, ({ words }) => words.selection).map((same): SelectedSamplings => ({
    selection: same[0]!.words.compiled,
    fromMs: same.reduce((from, { query }) => Math.min(from, fromOf(query)), Infinity),
    toMs: same.reduce((to, { query }) => Math.max(to, query.endMs), -Infinity),
    samplings: by(same, ({ words }) => words.subject).map((ofSubject) => ({
      subject: ofSubject[0]!.query.query.subject,
      groups: by(ofSubject, ({ words }) => words.groupBy).map(compileGroup),
    })),
  }));
}

interface Placed {
  query: PlannedQuery;
  place: number;
  words: Words;
}

function compileGroup(queries: Placed[]): GroupedWindows {
  const { groupBy } = queries[0]!.query.query;
  return {
    grouping: groupBy.length === 0 ? null : new Grouping(groupBy),
    windows: by(queries, windowText).map((same): Window => {
      const [{ query, words }] = same as [Placed];
      const needs =
        query.needs ??
        needsOf(
          same.map((each) => each.query.query.aggregation),
          query.query.subject.kind === 'share',
        );
      const key = `${needs.key} ${words.sampling}`;
      return {
        key,
        fromMs: fromOf(query),
        toMs: query.endMs,
        queries: same,
        needs,
        sums: query.sums ?? null,
        accumulators: [],
        series: 0,
        isGivenUp: false,
        partials: null,
        segments: 0,
        events: 0,
        answerMs: 0,
      };
    }),
  };
}

export function wordsOf(query: MetricQuery): Words {
  let words = wordsByQuery.get(query);
  if (words === undefined) {
    const { name, filters, subject, groupBy } = query;
    const selection = JSON.stringify([name, filters]);
    const subjectText = JSON.stringify(subject);
    words = {
      selection,
      subject: subjectText,
      sampling: `${selection} ${subjectText}`,
      groupBy: JSON.stringify(groupBy),
      compiled: new Selection(name, filters),
    };
    wordsByQuery.set(query, words);
  }
  return words;
}

export function fromOf({ query, endMs, fromMs }: PlannedQuery): EpochMs {
  return fromMs ?? endMs - query.windowMs;
}

/** Windows of which the same is read may differ in what is not read. */
function windowText({ query }: Placed): string {
  return `${fromOf(query)} ${query.endMs} ${query.sums === undefined ? '' : query.query.windowMs}`;
}

export function by<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const [only] = items;
  if (items.length === 1) return [[only!]];
  return [...Map.groupBy(items, key).values()];
}
