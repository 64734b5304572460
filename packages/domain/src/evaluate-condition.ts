import type { ConditionNode } from './compiled-rule.ts';
import type { Verdict } from './series-state.ts';

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
 * The comparison that speaks for the whole; see `LeadReading`. `verdicts` are those that led to `outcome`, `hasValue` says which have a value.
 */
export function leadIndex(
  condition: ConditionNode,
  verdicts: readonly Verdict[],
  hasValue: (index: number) => boolean,
  outcome: Verdict,
): number {
  const index =
    outcome === 'breach'
      ? firstBreaching(condition, verdicts, false)
      : outcome === 'clear'
        ? verdicts.findIndex((_, place) => hasValue(place))
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
