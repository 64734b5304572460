import type { EpochMs } from './clock.ts';
import type { MetricQuery } from './metric-query.ts';
import type { Labels } from './reading.ts';

/** A window of a range: `[fromMs, toMs)`. It stands in place of the query's own `windowMs`. */
export interface RangeWindow {
  fromMs: EpochMs;
  toMs: EpochMs;
}

/** One query over many windows, oldest end first. */
export interface RangeQuery {
  query: MetricQuery;
  windows: readonly RangeWindow[];
}

/** One series over all windows of a range. `values[i]` is NaN where the aggregation has no answer; `samples[i]` is 0 where it was not seen. */
export interface RangeSeriesReading {
  labels: Labels;
  values: Float64Array;
  samples: Float64Array;
}

/**
 * What the same windows would have answered one by one, the other way round. `dropped` counts the series past the bound. `basis` is that of the
 * long windows among them.
 */
export type RangeResult =
  | { kind: 'range'; series: RangeSeriesReading[]; dropped: number; basis?: 'hours' }
  | { kind: 'warming'; missingHours: number }
  | { kind: 'failed'; code: string; message: string };

export interface RangeRequest {
  tenantId: string;
  queries: readonly RangeQuery[];
  /** Series of one query, those of most samples. */
  maxSeries: number;
}

/** Reads many windows in one pass. One result a query, in the order asked; without group-by exactly one series. */
export interface RangeSource {
  readRange: (request: RangeRequest, signal: AbortSignal, progress?: (share: number) => void) => Promise<RangeResult[]>;
}
