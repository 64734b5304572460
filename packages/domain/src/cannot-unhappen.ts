import type { Aggregation } from './aggregations.ts';
import type { CompiledRule, Comparison, ConditionNode } from './compiled-rule.ts';

/** Another event never makes their value smaller, nor takes it away. */
const GROWING: ReadonlySet<Aggregation> = new Set<Aggregation>(['count', 'distinct', 'max']);

/**
 * Whether a window of which the condition holds goes on holding whatever events are still to come into it: growing values that are too large, joined by
 * `all` and `any`.
 */
export const cannotUnhappen = ({ condition, comparisons, windows }: Pick<CompiledRule, 'condition' | 'comparisons' | 'windows'>): boolean =>
  isPositive(condition) && comparisons.every(onlyGrows) && windows.every(({ backMs, calendar }) => backMs === 0 && calendar === null);

const isPositive = (node: ConditionNode): boolean => node.kind === 'comparison' || (node.kind !== 'not' && node.children.every(isPositive));

const onlyGrows = ({ value, aggregation, operator, limits }: Comparison): boolean =>
  value.kind === 'query' &&
  GROWING.has(aggregation) &&
  (operator === '>' || operator === '>=') &&
  limits.every((limit) => limit === null || limit.kind === 'fixed');
