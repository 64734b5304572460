import type { EpochMs } from './clock.ts';
import type { MetricQuery } from './metric-query.ts';

export type Labels = Readonly<Record<string, string>>;

/**
 * One series of one query over one window.
 * `value` is null where the aggregation has no answer (no sample; `count`, `sum`, `rate` answer 0 instead).
 * `samples` is how many events contributed.
 */
export interface SeriesReading {
  labels: Labels;
  value: number | null;
  samples: number;
}

/**
 * A failed query is not a reading: it can neither fire nor resolve, and nor can one that is `warming`, because so many closed hours are still being
 * prepared. `dropped` counts the series past the bound. `basis` says where it is not every event that was read: closed `hours` were summed up, so
 * that sums and counts are exact and percentiles within 1 %.
 */
export type QueryResult =
  | { kind: 'series'; series: SeriesReading[]; dropped: number; basis?: 'hours' }
  | { kind: 'warming'; missingHours: number }
  | { kind: 'failed'; code: string; message: string };

/** Which side of the threshold is the bad one; `near` and `far` are distances from it. */
export type WorstSide = 'high' | 'low' | 'near' | 'far';

/** What one rule's queries have in common: what one of them answers with, all do. */
export interface RuleSeries {
  /** Answered with whatever else there is. */
  known: readonly Labels[];
}

/** Which series a query answers with where there are more than a source answers: the worst of those with enough samples. */
export interface SeriesChoice {
  /** The same object for all queries of a rule. */
  of: RuleSeries;
  worst: WorstSide;
  threshold: number;
  minSamples: number;
}

/** One query for the window `[endMs − query.windowMs, endMs)`. */
export interface WindowedQuery {
  query: MetricQuery;
  endMs: EpochMs;
  /** Without one, where there are too many, those of most samples are answered. */
  choice?: SeriesChoice;
}

export interface ReadRequest {
  tenantId: string;
  queries: readonly WindowedQuery[];
}

/** What answering one query took; what it shared with others is split evenly between them. */
export interface ReadingCost {
  /** Of the processor, in milliseconds: waiting is not in it. */
  ms: number;
  /** Stored pieces its window touched. */
  segments: number;
  /** Events that were read for it; what was found earlier and kept is not read again. */
  events: number;
}

/**
 * Where readings come from. One call serves many tenants, so that a source can share a round trip.
 * Answers in the order asked: one list per request, one result per query. Without groupBy a query answers exactly one series. A query that had
 * to choose answers with every series that any query of its rule answered with, empty ones too.
 * Where `costs` are asked for, a source that measures pushes a list per request, of one cost per query; another one leaves them empty.
 * Rejects only when nothing at all could be read (the caller fails the run, and it is tried again).
 */
export interface MetricSource {
  read: (requests: readonly ReadRequest[], signal: AbortSignal, costs?: ReadingCost[][]) => Promise<QueryResult[][]>;
}

/** Identity of a series within a rule: its labels as JSON with sorted keys; `{}` without group-by. */
export function seriesKey(labels: Labels): string {
  let key = keys.get(labels);
  if (key === undefined) {
    key = JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
    keys.set(labels, key);
  }
  return key;
}

/** A preview asks for the same labels at every slot. */
const keys = new WeakMap<Labels, string>();
