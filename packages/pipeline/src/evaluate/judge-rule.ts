import type { LeasedRun, RuleHead, SeriesRow } from '@tocsin/db';
import { stepRule, type Circumstances, type QueryResult, type RuleStep, type SteppedSeries } from '@tocsin/domain';
import { type Conduct, conductOf } from './conduct.ts';
import type { PlannedRule } from './plan-run.ts';
import { RUN_FULL } from './series-budget.ts';

export type SeriesOutcome = SteppedSeries<SeriesRow>;

export interface RuleOutcome extends RuleStep<SeriesRow> {
  run: LeasedRun;
  planned: PlannedRule;
  head: RuleHead;
  conduct: Conduct;
  /** False: judging it threw, and no series took a step. */
  isJudged: boolean;
  /** Set when people changed the rule or its series meanwhile: nothing of this outcome counts. */
  isSuperseded: boolean;
}

/** What one rule found in a run. A rule that cannot be judged is in error by itself: its series and alerts stay as they are. */
export function judgeRule(
  run: LeasedRun,
  head: RuleHead,
  planned: PlannedRule,
  results: QueryResult[],
  knownSeries: readonly SeriesRow[],
  circumstances: Circumstances,
): RuleOutcome {
  const common = { run, head, planned, isSuperseded: false };
  try {
    const isLeftOut = results.some((result) => result.kind === 'failed' && result.code === RUN_FULL);
    const step = stepRule(planned.rule.compiled, results, knownSeries, planned, circumstances, isLeftOut);
    return { ...common, ...step, conduct: conductOf(results), isJudged: true };
  } catch (error) {
    const healthReason = `evaluation_error: ${error instanceof Error ? error.message : 'unknown'}`;
    const nothing = { series: [], dropped: 0, excess: 0, forgotten: [], isJudged: false };
    return { ...common, ...nothing, health: 'error', healthReason, conduct: { kind: 'failed', reason: healthReason } };
  }
}
