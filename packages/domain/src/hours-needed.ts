import { AGGREGATION_FACTS } from './aggregations.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { MetricQuery } from './metric-query.ts';
import { DAY_MS, HOUR_MS } from './history-points.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';

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
export const isLongWindow = ({ windowMs, aggregation }: Pick<MetricQuery, 'windowMs' | 'aggregation'>): boolean =>
  windowMs > RULE_BOUNDS.maxExactWindowMs && AGGREGATION_FACTS[aggregation].maxWindowMs > RULE_BOUNDS.maxExactWindowMs;

/**
 * What a rule needs of closed hours: its long windows, and the past its thresholds are made of. An hour more than they reach back, for slots that are
 * evaluated late, and as much as the past grows before it is made anew.
 */
export function hoursNeededBy({ windows, histories, evaluationDelayMs }: CompiledRule): HoursNeed[] {
  const lateMs = evaluationDelayMs + HOUR_MS;
  const partials = windows
    .filter(({ query }) => isLongWindow(query))
    .map(({ query, backMs }): HoursNeed => ({ kind: 'partial', query, lookbackMs: query.windowMs + backMs + lateMs }));
  const pasts = histories.flatMap(({ query, lookbackMs, refresh }): HoursNeed[] => {
    const reachMs = lookbackMs + (refresh === 'day' ? DAY_MS : HOUR_MS) + lateMs;
    const history: HoursNeed = { kind: 'history', query, lookbackMs: reachMs };
    return isLongWindow(query) ? [{ kind: 'partial', query, lookbackMs: reachMs + query.windowMs }, history] : [history];
  });
  return [...partials, ...pasts];
}
