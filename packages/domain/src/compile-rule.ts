import { UNMEASURED_DELAY_MS } from './auto-delay.ts';
import { compileLeaf, type Inputs } from './compile-comparison.ts';
import type { Comparison, CompiledRule, ConditionNode, Level } from './compiled-rule.ts';
import { durationMs } from './duration.ts';
import { levelsOf } from './levels.ts';
import type { ConditionSpec, RuleSpec } from './rule-spec.ts';

/** Pure, and the same for the same spec: cache it by rule and version. Throws on a spec that `parseRule` did not make. */
export function compileRule(spec: RuleSpec): CompiledRule {
  const comparisons: Comparison[] = [];
  const groupBy = spec.groupBy.toSorted();
  const levels = levelsOf(spec);
  const inputs: Inputs = { windows: [], histories: [], references: [] };
  const condition = compileCondition(spec.condition, { groupBy, levels, comparisons, inputs, isNegated: false });
  const isAuto = spec.evaluationDelay === 'auto';
  return {
    condition,
    comparisons,
    ...inputs,
    levels,
    groupBy,
    onArrival: spec.evaluate === 'arrival',
    everyMs: spec.every === undefined ? null : durationMs(spec.every),
    forMs: durationMs(spec.for),
    keepFiringForMs: durationMs(spec.keepFiringFor),
    cooldownMs: durationMs(spec.cooldown),
    evaluationDelayMs: isAuto ? UNMEASURED_DELAY_MS : durationMs(spec.evaluationDelay),
    delayFollows: isAuto ? [...new Set(inputs.windows.map(({ query }) => query.name))] : null,
    newSeriesGraceMs: durationMs(spec.newSeriesGrace),
    flapping: spec.flapping === 'off' ? null : { changes: spec.flapping.changes, withinMs: durationMs(spec.flapping.within) },
    maxOpenAlerts: spec.maxOpenAlerts,
    maxSeries: spec.maxSeries,
    isShadow: spec.mode === 'shadow',
    noData: spec.noData,
    onError: spec.onError,
    remindEveryMs: spec.remindEvery === undefined ? null : durationMs(spec.remindEvery),
    notify: spec.notify,
  };
}

interface Tree {
  groupBy: readonly string[];
  levels: readonly Level[];
  comparisons: Comparison[];
  inputs: Inputs;
  isNegated: boolean;
}

function compileCondition(spec: ConditionSpec, tree: Tree): ConditionNode {
  if ('all' in spec) return { kind: 'all', children: spec.all.map((child) => compileCondition(child, tree)) };
  if ('any' in spec) return { kind: 'any', children: spec.any.map((child) => compileCondition(child, tree)) };
  if ('not' in spec) return { kind: 'not', child: compileCondition(spec.not, { ...tree, isNegated: !tree.isNegated }) };
  tree.comparisons.push(compileLeaf(spec, tree));
  return { kind: 'comparison', index: tree.comparisons.length - 1 };
}
