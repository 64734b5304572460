import type { Filter, MetricQuery } from '@tocsin/domain';

/** The ten rules every tenant has, as Tocsin's queries and as SQL over one row a span. */
export interface BenchRule {
  query: MetricQuery;
  /** An aggregate over `spans`; the window and the tenant are put around it. */
  sql: string;
  where: string;
}

const MINUTE = 60_000;

export const RULES: readonly BenchRule[] = [
  rule({ aggregation: 'p95', measure: 'duration_ms', minutes: 5, model: 'model-0' }),
  rule({ aggregation: 'p95', measure: 'duration_ms', minutes: 15 }),
  rule({ aggregation: 'errorRate', minutes: 5 }),
  rule({ aggregation: 'errorRate', minutes: 15, operation: 'op1' }),
  rule({ aggregation: 'sum', measure: 'cost', minutes: 60 }),
  rule({ aggregation: 'count', minutes: 5 }),
  rule({ aggregation: 'avg', measure: 'ttft_ms', minutes: 15, model: 'model-1' }),
  rule({ aggregation: 'p99', measure: 'duration_ms', minutes: 60, operation: 'op0' }),
  rule({ aggregation: 'avg', measure: 'duration_ms', minutes: 5, status: 'ok' }),
  rule({ aggregation: 'sum', measure: 'output_tokens', minutes: 60, model: 'model-2' }),
];

/** A hundred rules of a tenant: the ten for each of six models, and over four other windows. */
export function manyRules(): readonly MetricQuery[] {
  const ofModel = (query: MetricQuery, model: number): MetricQuery => ({
    ...query,
    filters: [
      ...query.filters.filter((filter) => filter.kind !== 'in' || filter.dim !== 'model'),
      { kind: 'in', dim: 'model', values: [`model-${model}`], negate: false },
    ],
  });
  const each = RULES.map(({ query }) => query);
  const others = [2, 10, 30, 45].flatMap((minutes) => each.map((query) => ({ ...query, windowMs: minutes * MINUTE })));
  return [...Array.from({ length: 6 }, (_, model) => each.map((query) => ofModel(query, model))).flat(), ...others];
}

interface Words {
  aggregation: 'p95' | 'p99' | 'avg' | 'sum' | 'count' | 'errorRate';
  measure?: string;
  minutes: number;
  model?: string;
  operation?: string;
  status?: string;
}

function rule({ aggregation, measure, minutes, ...dims }: Words): BenchRule {
  const filters = Object.entries(dims).map(([dim, value]): Filter => ({ kind: 'in', dim, values: [value], negate: false }));
  const isErrorRate = aggregation === 'errorRate';
  return {
    query: {
      name: null,
      subject: isErrorRate
        ? { kind: 'share', dim: 'status', values: ['error', 'timeout'] }
        : measure === undefined
          ? { kind: 'event' }
          : { kind: 'measure', measures: [measure], orSumOf: [] },
      aggregation: isErrorRate ? 'avg' : aggregation,
      filters,
      groupBy: [],
      windowMs: minutes * MINUTE,
      ratePerMs: MINUTE,
    },
    sql: isErrorRate
      ? `avg((status in ('error', 'timeout'))::int::float8) * 100`
      : aggregation === 'count'
        ? 'count(*)::float8'
        : aggregation === 'p95' || aggregation === 'p99'
          ? `percentile_cont(0.${aggregation.slice(1)}) within group (order by ${measure})`
          : `${aggregation}(${measure})`,
    where: Object.entries(dims)
      .map(([dim, value]) => ` and ${dim} = '${value}'`)
      .join(''),
  };
}
