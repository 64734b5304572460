import type { Level } from './compiled-rule.ts';
import { leavesOf, type RuleSpec } from './rule-spec.ts';
import { SEVERITIES, type Severity } from './severity.ts';
import { isBudget, isLevels, type BudgetSpec } from './threshold-spec.ts';

/** The levels of a rule, the mildest first. A severity's rank is its place among them; a budget's steps are ranked by their percentage. */
export function levelsOf({ severity, condition }: Pick<RuleSpec, 'severity' | 'condition'>): Level[] {
  const thresholds = leavesOf(condition).flatMap((leaf) => ('threshold' in leaf ? [leaf.threshold] : []));
  const budget = thresholds.find(isBudget);
  if (budget !== undefined) return budgetLevels(budget.budget);
  const named = new Set(thresholds.filter(isLevels).flatMap((levels) => Object.keys(levels)));
  const severities = SEVERITIES.filter((each) => named.has(each));
  return (severities.length > 0 ? severities : [severity ?? 'warning']).map((each) => ({ severity: each, rank: SEVERITIES.indexOf(each) }));
}

/** The last step is what must not be: critical. The one before warns of it, those before that inform. */
function budgetLevels({ steps }: BudgetSpec): Level[] {
  return steps.map((percent, index): Level => ({ severity: budgetSeverity(steps.length - 1 - index), rank: percent }));
}

const budgetSeverity = (stepsLeft: number): Severity => (stepsLeft === 0 ? 'critical' : stepsLeft === 1 ? 'warning' : 'info');
