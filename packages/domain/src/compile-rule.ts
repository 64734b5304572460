import { UNMEASURED_DELAY_MS } from './auto-delay.ts';
import { compileQuery, metricLabel, unitOf } from './compile-query.ts';
import type { Comparison, CompiledRule, ConditionNode } from './compiled-rule.ts';
import { durationMs } from './duration.ts';
import type { Operator } from './metric-query.ts';
import type { WorstSide } from './reading.ts';
import type { ConditionSpec, RuleSpec } from './rule-spec.ts';

/** Pure, and the same for the same spec: cache it by rule and version. Throws on a spec that `parseRule` did not make. */
export function compileRule(spec: RuleSpec): CompiledRule {
  const comparisons: Comparison[] = [];
  const groupBy = spec.groupBy.toSorted();
  const condition = compileCondition(spec.condition, { groupBy, comparisons, isNegated: false });
  const isAuto = spec.evaluationDelay === 'auto';
  return {
    condition,
    comparisons,
    groupBy,
    severity: spec.severity,
    everyMs: spec.every === undefined ? null : durationMs(spec.every),
    forMs: durationMs(spec.for),
    keepFiringForMs: durationMs(spec.keepFiringFor),
    cooldownMs: durationMs(spec.cooldown),
    evaluationDelayMs: isAuto ? UNMEASURED_DELAY_MS : durationMs(spec.evaluationDelay),
    delayFollows: isAuto ? [...new Set(comparisons.map(({ query }) => query.name))] : null,
    noData: spec.noData,
    onError: spec.onError,
    remindEveryMs: spec.remindEvery === undefined ? null : durationMs(spec.remindEvery),
    notify: spec.notify,
  };
}

interface Tree {
  groupBy: readonly string[];
  comparisons: Comparison[];
  isNegated: boolean;
}

function compileCondition(spec: ConditionSpec, tree: Tree): ConditionNode {
  if ('all' in spec) return { kind: 'all', children: spec.all.map((child) => compileCondition(child, tree)) };
  if ('any' in spec) return { kind: 'any', children: spec.any.map((child) => compileCondition(child, tree)) };
  if ('not' in spec) return { kind: 'not', child: compileCondition(spec.not, { ...tree, isNegated: !tree.isNegated }) };
  const { groupBy, comparisons, isNegated } = tree;
  const joinsEverySeries = groupBy.length > 0 && spec.groupBy !== undefined;
  comparisons.push({
    query: compileQuery(spec, joinsEverySeries ? [] : groupBy),
    metric: metricLabel(spec),
    unit: unitOf(spec),
    operator: spec.operator,
    threshold: spec.threshold,
    recover: spec.recover ?? null,
    minSamples: spec.minSamples,
    worst: isNegated ? OPPOSITE[WORST[spec.operator]] : WORST[spec.operator],
    joinsEverySeries,
  });
  return { kind: 'comparison', index: comparisons.length - 1 };
}

const WORST: Readonly<Record<Operator, WorstSide>> = { '>': 'high', '>=': 'high', '<': 'low', '<=': 'low', '==': 'near', '!=': 'far' };
const OPPOSITE: Readonly<Record<WorstSide, WorstSide>> = { high: 'low', low: 'high', near: 'far', far: 'near' };
