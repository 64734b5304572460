import { AGGREGATION_FACTS } from './aggregations.ts';
import { catalogueUnit, isMetricName, meaning } from './catalogue.ts';
import { durationMs } from './duration.ts';
import { OPERATORS, type Filter, type MetricQuery } from './metric-query.ts';
import { PER_MINUTE, rateUnit } from './rate-unit.ts';
import type { ComparisonSpec, WhereTest } from './rule-spec.ts';
import { savedMetricName } from './saved-metric.ts';

/** The part of a comparison that is a metric query, in canonical words. */
export type QuerySpec = Pick<ComparisonSpec, 'metric' | 'measure' | 'dim' | 'name' | 'aggregation' | 'where' | 'window' | 'unit'>;

/** Filters are sorted, so that equal queries are equal as JSON. `groupBy` must be sorted, without repeats. */
export function compileQuery(spec: QuerySpec, groupBy: readonly string[]): MetricQuery {
  const meant = meaning(spec, spec.aggregation);
  if (meant === null) throw new Error(`${metricLabel(spec)} has no ${spec.aggregation}`);
  return {
    name: spec.metric === undefined || isMetricName(spec.metric) ? (spec.name ?? null) : savedMetricName(spec.metric),
    subject: meant.subject,
    aggregation: meant.aggregation,
    filters: Object.entries(spec.where ?? {})
      .flatMap(([field, test]) => filtersOf(field, test))
      .sort(byJson),
    groupBy,
    windowMs: durationMs(spec.window),
    ratePerMs: (rateUnit(spec.unit) ?? PER_MINUTE).perMs,
  };
}

/** What people call the left side of a comparison. */
export const metricLabel = ({ metric, measure, dim }: QuerySpec): string => metric ?? measure ?? dim ?? 'events';

/** In the words of `formatValue`; null: a bare number. */
export function unitOf(spec: QuerySpec): string | null {
  const meant = meaning(spec, spec.aggregation);
  switch (meant === null ? 'none' : AGGREGATION_FACTS[meant.aggregation].unit) {
    case 'none':
      return null;
    case 'events':
      return 'events';
    case 'rate':
      return (rateUnit(spec.unit) ?? PER_MINUTE).words;
    case 'own':
      return spec.unit ?? catalogueUnit(spec.metric);
  }
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
