import type { Comparison, CompiledRule, ConditionNode } from './compiled-rule.ts';
import type { Operator } from './metric-query.ts';
import type { SeriesReading } from './reading.ts';
import type { Verdict } from './series-state.ts';

/** One comparison's reading for one series, or why there is none. */
export type Answer = SeriesReading | 'failed' | 'not_ready';

export function compare(value: number, operator: Operator, threshold: number): boolean {
  switch (operator) {
    case '>':
      return value > threshold;
    case '>=':
      return value >= threshold;
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '==':
      return value === threshold;
    case '!=':
      return value !== threshold;
  }
}

/**
 * What one comparison says. A value that is not finite is no reading. `minSamples` of 1 asks for nothing beyond a value: an empty window's
 * `count`, `sum` and `rate` are 0 and count.
 */
export function verdictOf(comparison: Comparison, answer: Answer, whileFiring: boolean): Verdict {
  if (typeof answer === 'string') return answer;
  const { value, samples } = answer;
  if (value === null || !Number.isFinite(value)) return 'unknown';
  if (comparison.minSamples > 1 && samples < comparison.minSamples) return 'unknown';
  const threshold = whileFiring ? (comparison.recover ?? comparison.threshold) : comparison.threshold;
  return compare(value, comparison.operator, threshold) ? 'breach' : 'clear';
}

/**
 * What the tree says, in Kleene's three-valued logic: `all` is clear as soon as one child is clear and `any` breaches as soon as one does,
 * whatever the rest is. A failed query is unknown there too; but an undecided tree in which one takes part is `failed`, not `unknown`: its
 * answer might have decided.
 */
export function evaluate(node: ConditionNode, verdicts: readonly Verdict[]): Verdict {
  switch (node.kind) {
    case 'comparison':
      return verdicts[node.index] ?? 'failed';
    case 'not':
      return NEGATED[evaluate(node.child, verdicts)];
    case 'all':
      return strongest(node.children, verdicts, ALL_ORDER);
    case 'any':
      return strongest(node.children, verdicts, ANY_ORDER);
  }
}

const NEGATED: Readonly<Record<Verdict, Verdict>> = {
  breach: 'clear',
  clear: 'breach',
  unknown: 'unknown',
  not_ready: 'not_ready',
  failed: 'failed',
};

/** Which of the children's verdicts prevails: the one furthest to the right. */
const ALL_ORDER: readonly Verdict[] = ['breach', 'unknown', 'not_ready', 'failed', 'clear'];
const ANY_ORDER: readonly Verdict[] = ['clear', 'unknown', 'not_ready', 'failed', 'breach'];

function strongest(children: readonly ConditionNode[], verdicts: readonly Verdict[], order: readonly Verdict[]): Verdict {
  let rank = 0;
  for (const child of children) {
    rank = Math.max(rank, order.indexOf(evaluate(child, verdicts)));
    if (rank === order.length - 1) break;
  }
  return order[rank] ?? 'unknown';
}

/**
 * The comparison that speaks for the whole; see `LeadReading`. `verdicts` are those that led to `outcome`.
 */
export function leadIndex(rule: CompiledRule, verdicts: readonly Verdict[], answers: readonly Answer[], outcome: Verdict): number {
  const index =
    outcome === 'breach'
      ? firstBreaching(rule.condition, verdicts, false)
      : outcome === 'clear'
        ? answers.findIndex((answer) => typeof answer === 'object' && answer.value !== null)
        : verdicts.indexOf(outcome);
  return Math.max(index, 0);
}

function firstBreaching(node: ConditionNode, verdicts: readonly Verdict[], isNegated: boolean): number {
  switch (node.kind) {
    case 'comparison':
      return verdicts[node.index] === (isNegated ? 'clear' : 'breach') ? node.index : -1;
    case 'not':
      return firstBreaching(node.child, verdicts, !isNegated);
    case 'all':
    case 'any':
      for (const child of node.children) {
        const index = firstBreaching(child, verdicts, isNegated);
        if (index >= 0) return index;
      }
      return -1;
  }
}
