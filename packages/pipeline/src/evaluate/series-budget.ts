import type { QueryResult } from '@tocsin/domain';

/** What one rule of a run asks of it. */
export interface RuleAnswers {
  results: readonly QueryResult[];
  /** Series the rule knows from before. */
  known: number;
}

/** Of a rule whose series no longer fit into its tenant's run. */
export const RUN_FULL = 'too_many_series_in_run';

/**
 * Which of a run's rules are not judged, because all of them together have more than `atMost` series: the ones with the most, so that a rule
 * of few series is judged whatever the others do. Of equal ones the later.
 */
export function rulesOverBudget(rules: readonly RuleAnswers[], atMost: number): Set<number> {
  const sizes = rules.map(({ results, known }) => results.reduce((most, result) => Math.max(most, sizeOf(result)), known));
  const over = new Set<number>();
  if (sizes.reduce((total, size) => total + size, 0) <= atMost) return over;
  let left = atMost;
  const smallestFirst = [...sizes.keys()].sort((a, b) => sizes[a]! - sizes[b]! || a - b);
  for (const rule of smallestFirst) {
    left -= sizes[rule]!;
    if (left < 0) over.add(rule);
  }
  return over;
}

const sizeOf = (result: QueryResult): number => (result.kind === 'series' ? result.series.length : 0);
