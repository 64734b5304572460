import { meaning, METRICS } from './catalogue.ts';
import type { Comparison, CompiledRule, ConditionNode } from './compiled-rule.ts';
import { parseDuration } from './duration.ts';
import { OPERATORS, type Filter, type MetricQuery, type Operator } from './metric-query.ts';
import { PER_MINUTE, rateUnit } from './rate-unit.ts';
import type { WorstSide } from './reading.ts';
import type { ComparisonSpec, ConditionSpec, RuleSpec, WhereTest } from './rule-spec.ts';

/** Pure, and the same for the same spec: cache it by rule and version. Throws on a spec that `parseRule` did not make. */
export function compileRule(spec: RuleSpec): CompiledRule {
  const comparisons: Comparison[] = [];
  const groupBy = spec.groupBy.toSorted();
  return {
    condition: compileCondition(spec.condition, { groupBy, comparisons, isNegated: false }),
    comparisons,
    groupBy,
    severity: spec.severity,
    everyMs: spec.every === undefined ? null : milliseconds(spec.every),
    forMs: milliseconds(spec.for),
    keepFiringForMs: milliseconds(spec.keepFiringFor),
    cooldownMs: milliseconds(spec.cooldown),
    evaluationDelayMs: milliseconds(spec.evaluationDelay),
    noData: spec.noData,
    onError: spec.onError,
    remindEveryMs: spec.remindEvery === undefined ? null : milliseconds(spec.remindEvery),
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

/** The part of a comparison that is a metric query, in canonical words. */
export type QuerySpec = Pick<ComparisonSpec, 'metric' | 'measure' | 'dim' | 'name' | 'aggregation' | 'where' | 'window' | 'unit'>;

/** Filters are sorted, so that equal queries are equal as JSON. `groupBy` must be sorted, without repeats. */
export function compileQuery(spec: QuerySpec, groupBy: readonly string[]): MetricQuery {
  const meant = meaning(spec, spec.aggregation);
  if (meant === null) throw new Error(`${metricLabel(spec)} has no ${spec.aggregation}`);
  return {
    name: spec.name ?? null,
    subject: meant.subject,
    aggregation: meant.aggregation,
    filters: Object.entries(spec.where ?? {})
      .flatMap(([field, test]) => filtersOf(field, test))
      .sort(byJson),
    groupBy,
    windowMs: milliseconds(spec.window),
    ratePerMs: (rateUnit(spec.unit) ?? PER_MINUTE).perMs,
  };
}

/** What people call the left side of a comparison. */
export const metricLabel = ({ metric, measure, dim }: QuerySpec): string => metric ?? measure ?? dim ?? 'events';

/** In the words of `formatValue`; null: a bare number. */
export function unitOf(spec: QuerySpec): string | null {
  const meant = meaning(spec, spec.aggregation);
  if (meant === null || meant.aggregation === 'distinct') return null;
  if (meant.aggregation === 'count') return 'events';
  if (meant.aggregation === 'rate') return (rateUnit(spec.unit) ?? PER_MINUTE).words;
  return spec.unit ?? (spec.metric === undefined ? null : METRICS[spec.metric].unit);
}

function filtersOf(field: string, test: WhereTest): Filter[] {
  if (typeof test === 'string') return [{ kind: 'in', dim: field, values: [test], negate: false }];
  if (Array.isArray(test)) return [{ kind: 'in', dim: field, values: sortedSet(test), negate: false }];
  const filters: Filter[] = [];
  if (test.prefix !== undefined) filters.push({ kind: 'prefix', dim: field, prefix: test.prefix, negate: false });
  if (test.exists !== undefined) filters.push({ kind: 'exists', field, negate: !test.exists });
  if (test.not !== undefined) filters.push(negated(field, test.not));
  for (const operator of OPERATORS) {
    const value = test[operator];
    if (value !== undefined) filters.push({ kind: 'measure', measure: field, operator, value });
  }
  return filters;
}

function negated(dim: string, not: string | string[] | { prefix: string }): Filter {
  if (typeof not === 'string') return { kind: 'in', dim, values: [not], negate: true };
  if (Array.isArray(not)) return { kind: 'in', dim, values: sortedSet(not), negate: true };
  return { kind: 'prefix', dim, prefix: not.prefix, negate: true };
}

const sortedSet = (values: readonly string[]): string[] => [...new Set(values)].sort();

const byJson = (a: Filter, b: Filter): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

function milliseconds(duration: string): number {
  const ms = parseDuration(duration);
  if (ms === null) throw new Error(`not a duration: ${duration}`);
  return ms;
}
