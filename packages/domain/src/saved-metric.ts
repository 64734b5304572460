/** A metric of the tenant's own, as far as a rule has to know it. */
export interface SavedMetric {
  /** Null: bare numbers. */
  unit: string | null;
}

/** The saved metrics of a tenant, by key. */
export type SavedMetrics = ReadonlyMap<string, SavedMetric>;

export const NO_SAVED_METRICS: SavedMetrics = new Map();

/** How the names of events begin that hold values of saved metrics. Nobody else writes such events, and no query sees them without their name. */
export const SAVED_METRIC_PREFIX = 'metric.';

/** The name of the events that hold a saved metric's values. */
export const savedMetricName = (key: string): string => `${SAVED_METRIC_PREFIX}${key}`;

/** The measure of those events that is the value. */
export const SAVED_METRIC_MEASURE = 'value';
