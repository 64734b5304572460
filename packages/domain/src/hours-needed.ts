import { AGGREGATION_FACTS } from './aggregations.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { MetricQuery } from './metric-query.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';

const HOUR_MS = 3_600_000;

/**
 * What has to be made of closed hours so that it need not be read event by event: `partial`, their sums, whatever the query's window and aggregation;
 * `history`, what the query was worth at every step. Hours are needed that end within `lookbackMs` before now.
 */
export interface HoursNeed {
  kind: 'partial' | 'history';
  query: MetricQuery;
  lookbackMs: number;
}

/** A longer window is read from closed hours. */
export const isLongWindow = ({ windowMs, aggregation }: MetricQuery): boolean =>
  windowMs > RULE_BOUNDS.maxExactWindowMs && AGGREGATION_FACTS[aggregation].maxWindowMs > RULE_BOUNDS.maxExactWindowMs;

/** What a rule needs of closed hours. An hour more than its windows, for slots that are evaluated late. */
export function hoursNeededBy({ comparisons, evaluationDelayMs }: CompiledRule): HoursNeed[] {
  return comparisons
    .filter(({ query }) => isLongWindow(query))
    .map(({ query }): HoursNeed => ({ kind: 'partial', query, lookbackMs: query.windowMs + evaluationDelayMs + HOUR_MS }));
}
