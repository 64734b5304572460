import { RULE_BOUNDS } from '@tocsin/domain';

/** What one run may take, so that no tenant takes an evaluator for itself. */
export interface EvaluationBounds {
  /** The worst are judged, the others counted. */
  seriesPerRule: number;
  /** Of all rules of a run together; the rules with the most fail. */
  seriesPerRun: number;
  /** Queries of one run may take this long, in milliseconds; then they fail. */
  queryTimeMs: number;
  /** What one rule's look may cost the processor, in milliseconds; more counts as a failure of the rule. */
  ruleTimeMs: number;
}

export const EVALUATION_BOUNDS: EvaluationBounds = {
  seriesPerRule: RULE_BOUNDS.seriesPerRule,
  seriesPerRun: 100_000,
  queryTimeMs: 30_000,
  ruleTimeMs: 5_000,
};
