import { AGGREGATION_FACTS, type Aggregation } from './aggregations.ts';
import type { Subject } from './metric-query.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import { SAVED_METRIC_MEASURE } from './saved-metric.ts';

export interface MetricDefinition {
  subject: Subject;
  unit: string | null;
  defaultAggregation: Aggregation;
  /** What people call it in a sentence. */
  title: string;
}

const measure = (...measures: string[]): Subject => ({ kind: 'measure', measures, orSumOf: [] });
const statusShare = (...values: string[]): Subject => ({ kind: 'share', dim: 'status', values });

const CATALOGUE = {
  latency: { subject: measure('duration_ms'), unit: 'ms', defaultAggregation: 'p95', title: 'latency' },
  ttft: { subject: measure('ttft_ms'), unit: 'ms', defaultAggregation: 'p95', title: 'time to first token' },
  error_rate: { subject: statusShare('error', 'timeout'), unit: 'percent', defaultAggregation: 'avg', title: 'error rate' },
  timeout_rate: { subject: statusShare('timeout'), unit: 'percent', defaultAggregation: 'avg', title: 'timeout rate' },
  cost: { subject: measure('cost'), unit: 'USD', defaultAggregation: 'sum', title: 'cost' },
  throughput: { subject: { kind: 'event' }, unit: null, defaultAggregation: 'rate', title: 'throughput' },
  token_usage: {
    subject: { kind: 'measure', measures: ['total_tokens'], orSumOf: ['input_tokens', 'output_tokens'] },
    unit: 'tokens',
    defaultAggregation: 'sum',
    title: 'token usage',
  },
  anomaly_severity: { subject: measure('anomaly_severity'), unit: null, defaultAggregation: 'max', title: 'anomaly severity' },
} satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof CATALOGUE;
export const METRICS: Readonly<Record<MetricName, MetricDefinition>> = CATALOGUE;
export const METRIC_NAMES = Object.keys(CATALOGUE) as readonly MetricName[];

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(METRICS, name);

/** What a comparison looks at, as its author said it: at most one of the three. None: the events themselves. */
export interface Looked {
  /** Of the catalogue, or the key of a saved metric. */
  metric?: string | undefined;
  measure?: string | undefined;
  dim?: string | undefined;
}

export interface Meaning {
  subject: Subject;
  aggregation: Aggregation;
}

/** The aggregation for a comparison that names none. */
export function defaultAggregation({ metric, measure: own, dim }: Looked, windowMs: number): Aggregation {
  if (metric !== undefined && isMetricName(metric)) return METRICS[metric].defaultAggregation;
  if (metric !== undefined) return windowMs <= RULE_BOUNDS.maxExactWindowMs ? 'last' : 'avg';
  if (own !== undefined) return 'avg';
  return dim === undefined ? 'count' : 'distinct';
}

/** Throughput is known by its everyday words too: its average is its rate, its sum its count. */
const OF_THROUGHPUT: Partial<Record<Aggregation, Aggregation>> = { avg: 'rate', sum: 'count' };

/** The unit of a catalogue metric; null: bare numbers, or no metric of the catalogue. */
export const catalogueUnit = (metric: string | undefined): string | null =>
  metric !== undefined && isMetricName(metric) ? METRICS[metric].unit : null;

/** What a metric under an aggregation stands for; null where it means nothing, such as the p95 of an error rate. */
export function meaning(looked: Looked, written: Aggregation): Meaning | null {
  const subject = subjectOf(looked);
  const aggregation = (looked.metric === 'throughput' ? OF_THROUGHPUT[written] : undefined) ?? written;
  return AGGREGATION_FACTS[aggregation].takes.includes(subject.kind) ? { subject, aggregation } : null;
}

function subjectOf({ metric, measure: own, dim }: Looked): Subject {
  if (metric !== undefined) return isMetricName(metric) ? METRICS[metric].subject : measure(SAVED_METRIC_MEASURE);
  if (own !== undefined) return measure(own);
  return dim === undefined ? { kind: 'event' } : { kind: 'dim', dim };
}
