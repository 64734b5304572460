import type { QueryResult } from '@tocsin/domain';
import type { PlannedRule } from './plan-run.ts';

/** The queries of a run were not answered in time, and this rule is not the one to blame. */
export const RUN_TIMEOUT = 'run_timeout';
/** The same, and it is. */
export const QUERY_TIMEOUT = 'query_timeout';

/**
 * What a look says of the rule itself. Three that `failed` in a row put it into quarantine; one that was `spared` counts neither for it nor
 * against it: what kept it from an answer is not its own.
 */
export type Conduct = { kind: 'worked' } | { kind: 'spared' } | { kind: 'failed'; reason: string };

/** Of a rule that could be judged, by the answers to its queries. */
export function conductOf(results: readonly QueryResult[]): Conduct {
  let conduct: Conduct = { kind: 'worked' };
  for (const result of results) {
    if (result.kind === 'failed' && result.code !== RUN_TIMEOUT) return { kind: 'failed', reason: `${result.code}: ${result.message}` };
    if (result.kind !== 'series') conduct = { kind: 'spared' };
  }
  return conduct;
}

/**
 * Who made a run's queries late: the rule whose windows make up half of all that the run looks at, or more. Null: none does, and nobody is to
 * blame. What reading costs grows with what the windows span.
 */
export function ruleToBlame(planned: readonly PlannedRule[]): PlannedRule | null {
  const spans = planned.map(({ queries }) => queries.reduce((total, { query }) => total + query.windowMs, 0));
  const half = spans.reduce((total, span) => total + span, 0) / 2;
  const blamed = planned.filter((_, index) => spans[index]! >= half);
  return blamed.length === 1 ? blamed[0]! : null;
}
