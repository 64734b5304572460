import { RULE_BOUNDS } from './rule-bounds.ts';

/** All that is to be said of an aggregation but how its value is found, which is the sources' to know. */
interface AggregationFacts {
  /** How a sentence names it, in front of what is aggregated. */
  said: string;
  /** Words of other systems for it. */
  alsoCalled: readonly string[];
  /** Kinds of `Subject` it means something for. */
  takes: readonly ('event' | 'measure' | 'dim' | 'share')[];
  /** Its values have the unit of what is aggregated, are a number of events, so many per time, or bare numbers. */
  unit: 'own' | 'events' | 'rate' | 'none';
  /** Its value where no event contributes; null: no reading. */
  emptyValue: 0 | null;
  /** The share of values that lie below it; null: it is no percentile. */
  quantile: number | null;
  /** Infinity: as long as any. */
  maxWindowMs: number;
}

const OF_VALUES: Omit<AggregationFacts, 'said'> = {
  alsoCalled: [],
  takes: ['measure'],
  unit: 'own',
  emptyValue: null,
  quantile: null,
  maxWindowMs: Infinity,
};
const OF_EVENTS: Omit<AggregationFacts, 'said' | 'unit'> = { ...OF_VALUES, takes: ['event', 'measure', 'share'], emptyValue: 0 };

/** They are listed in this order wherever they are. */
const FACTS = {
  p50: { ...OF_VALUES, said: 'the median', alsoCalled: ['median'], quantile: 0.5 },
  p90: { ...OF_VALUES, said: 'p90', quantile: 0.9 },
  p95: { ...OF_VALUES, said: 'p95', quantile: 0.95 },
  p99: { ...OF_VALUES, said: 'p99', quantile: 0.99 },
  avg: { ...OF_VALUES, said: 'the average', alsoCalled: ['average', 'mean'], takes: ['measure', 'share'] },
  min: { ...OF_VALUES, said: 'the lowest', alsoCalled: ['minimum', 'lowest'] },
  max: { ...OF_VALUES, said: 'the highest', alsoCalled: ['maximum', 'highest'] },
  sum: { ...OF_VALUES, said: 'the total', alsoCalled: ['total'], emptyValue: 0 },
  count: { ...OF_EVENTS, said: 'the number of', alsoCalled: ['counter'], unit: 'events' },
  rate: { ...OF_EVENTS, said: 'the rate of', alsoCalled: ['per_minute'], unit: 'rate' },
  last: { ...OF_VALUES, said: 'the latest', alsoCalled: ['latest'], maxWindowMs: RULE_BOUNDS.maxExactWindowMs },
  distinct: {
    ...OF_VALUES,
    said: 'the number of distinct',
    alsoCalled: ['unique', 'cardinality', 'count_distinct', 'distinct_count'],
    takes: ['measure', 'dim'],
    unit: 'none',
    maxWindowMs: RULE_BOUNDS.maxExactWindowMs,
  },
} satisfies Record<string, AggregationFacts>;

export type Aggregation = keyof typeof FACTS;
export const AGGREGATION_FACTS: Readonly<Record<Aggregation, AggregationFacts>> = FACTS;
export const AGGREGATIONS = Object.keys(FACTS) as readonly Aggregation[];
