import { describeLeaf } from './describe-leaf.ts';
import { parseDuration } from './duration.ts';
import { levelsOf } from './levels.ts';
import { listed } from './listed.ts';
import type { ConditionSpec, RuleSpec } from './rule-spec.ts';

/**
 * A rule in one sentence: `Critical when p95 latency where env is prod is above 2,500 ms over 15m, for each operation, for at least 2m.`
 */
export function describeRule(spec: RuleSpec): string {
  const severities = listed([...new Set(levelsOf(spec).map((level) => level.severity))], 'or');
  const severity = severities.charAt(0).toUpperCase() + severities.slice(1);
  const perSeries = spec.groupBy.length === 0 ? '' : `, for each ${listed(spec.groupBy, 'and')}`;
  const held = parseDuration(spec.for) === 0 ? '' : `, for at least ${spec.for}`;
  return `${severity} when ${describeCondition(spec.condition, true)}${perSeries}${held}.`;
}

function describeCondition(spec: ConditionSpec, isOutermost: boolean): string {
  if ('not' in spec) return `not (${describeCondition(spec.not, true)})`;
  if ('all' in spec) return joined(spec.all, 'and', isOutermost);
  if ('any' in spec) return joined(spec.any, 'or', isOutermost);
  return describeLeaf(spec);
}

function joined(children: readonly ConditionSpec[], word: 'and' | 'or', isOutermost: boolean): string {
  if (children.length === 1 && children[0] !== undefined) return describeCondition(children[0], isOutermost);
  const text = children.map((child) => describeCondition(child, false)).join(` ${word} `);
  return isOutermost ? text : `(${text})`;
}
