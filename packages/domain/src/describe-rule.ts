import { AGGREGATION_FACTS } from './aggregations.ts';
import { isMetricName, METRICS } from './catalogue.ts';
import { metricLabel, unitOf } from './compile-query.ts';
import { parseDuration } from './duration.ts';
import { formatValue } from './format-value.ts';
import { OPERATORS, type Operator } from './metric-query.ts';
import type { ComparisonSpec, ConditionSpec, RuleSpec, WhereTest } from './rule-spec.ts';

const COMPARED: Readonly<Record<Operator, string>> = {
  '>': 'is above',
  '>=': 'is at or above',
  '<': 'is below',
  '<=': 'is at or below',
  '==': 'is',
  '!=': 'is not',
};

/**
 * A rule in one sentence: `Critical when p95 latency where env is prod is above 2,500 ms over 15m, for each operation, for at least 2m.`
 */
export function describeRule(spec: RuleSpec): string {
  const severity = spec.severity.charAt(0).toUpperCase() + spec.severity.slice(1);
  const perSeries = spec.groupBy.length === 0 ? '' : `, for each ${listed(spec.groupBy, 'and')}`;
  const held = parseDuration(spec.for) === 0 ? '' : `, for at least ${spec.for}`;
  return `${severity} when ${describeCondition(spec.condition, true)}${perSeries}${held}.`;
}

function describeCondition(spec: ConditionSpec, isOutermost: boolean): string {
  if ('not' in spec) return `not (${describeCondition(spec.not, true)})`;
  if ('all' in spec) return joined(spec.all, 'and', isOutermost);
  if ('any' in spec) return joined(spec.any, 'or', isOutermost);
  return describeComparison(spec);
}

function joined(children: readonly ConditionSpec[], word: 'and' | 'or', isOutermost: boolean): string {
  if (children.length === 1 && children[0] !== undefined) return describeCondition(children[0], isOutermost);
  const text = children.map((child) => describeCondition(child, false)).join(` ${word} `);
  return isOutermost ? text : `(${text})`;
}

function describeComparison(spec: ComparisonSpec): string {
  const unit = unitOf(spec);
  const where = Object.entries(spec.where ?? {}).map(([field, test]) => describeTest(field, test));
  return [
    subjectWords(spec),
    ...(spec.name === undefined ? [] : [`of ${spec.name}`]),
    ...(where.length === 0 ? [] : [`where ${where.join(' and ')}`]),
    COMPARED[spec.operator],
    formatValue(spec.threshold, unit === 'events' ? null : unit),
    `over ${spec.window}`,
    ...(spec.minSamples > 1 ? [`(at least ${spec.minSamples} samples)`] : []),
  ].join(' ');
}

function subjectWords(spec: ComparisonSpec): string {
  const { metric, aggregation } = spec;
  const title = metric !== undefined && isMetricName(metric) ? METRICS[metric].title : metricLabel(spec);
  if (metric === 'throughput') return aggregation === 'count' || aggregation === 'sum' ? 'the number of events' : 'throughput';
  const { said } = AGGREGATION_FACTS[aggregation];
  if (metric === 'error_rate' || metric === 'timeout_rate') {
    const events = metric === 'error_rate' ? 'failed events' : 'timed-out events';
    return aggregation === 'avg' ? title : `${said} ${events}`;
  }
  if (aggregation === 'count' || aggregation === 'rate') return `${said} events${title === 'events' ? '' : ` with ${title}`}`;
  return `${said} ${title}`;
}

function describeTest(field: string, test: WhereTest): string {
  if (typeof test === 'string') return `${field} is ${test}`;
  if (Array.isArray(test)) return `${field} is ${listed(test, 'or')}`;
  const said: string[] = [];
  if (test.prefix !== undefined) said.push(`${field} starts with ${test.prefix}`);
  if (test.exists !== undefined) said.push(`${field} ${test.exists ? 'exists' : 'is missing'}`);
  if (typeof test.not === 'string') said.push(`${field} is not ${test.not}`);
  else if (Array.isArray(test.not)) said.push(`${field} is not ${listed(test.not, 'or')}`);
  else if (test.not !== undefined) said.push(`${field} does not start with ${test.not.prefix}`);
  for (const operator of OPERATORS) {
    const value = test[operator];
    if (value !== undefined) said.push(`${field} ${COMPARED[operator]} ${value}`);
  }
  return said.join(' and ');
}

function listed(names: readonly string[], word: 'and' | 'or'): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} ${word} ${last}`;
}
