import type { EpochMs } from './clock.ts';
import type { MetricQuery } from './metric-query.ts';
import type { Labels } from './reading.ts';

/** How far apart the instants of a history lie. */
export const HISTORY_STEP_MS = 5 * 60_000;

/** What a query's window was worth at every step of `[fromMs, toMs)`. Both ends are whole hours (UTC) and over. */
export interface HistoryQuery {
  query: MetricQuery;
  fromMs: EpochMs;
  toMs: EpochMs;
}

/**
 * One series of the past. Entry `i` is the window that ends at `fromMs + (i + 1) × HISTORY_STEP_MS`: the value as a rule would have read it, NaN
 * where there was no reading, and how many events contributed. Windows of more than 6 h have a value at whole hours alone.
 */
export interface SeriesHistory {
  labels: Labels;
  values: Float64Array;
  samples: Float64Array;
}

/** `warming`: so many hours are still being prepared; ask again later. `dropped` counts the series past the bound. */
export type HistoryResult =
  | { kind: 'history'; series: SeriesHistory[]; dropped: number }
  | { kind: 'warming'; missingHours: number }
  | { kind: 'failed'; code: string; message: string };

export interface HistoryRequest {
  tenantId: string;
  queries: readonly HistoryQuery[];
}

/** Where the past comes from. Answers in the order asked: one list per request, one result per query. */
export interface HistorySource {
  /** With `compute`, hours nobody has prepared are worked out at once instead of answering `warming`. */
  history: (requests: readonly HistoryRequest[], signal: AbortSignal, options?: { compute?: boolean }) => Promise<HistoryResult[][]>;
}
