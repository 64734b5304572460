import type { Aggregation, Subject } from './metric-query.ts';

export interface MetricDefinition {
  subject: Subject;
  unit: string | null;
  defaultAggregation: Aggregation;
  /** What people call it in a sentence. */
  title: string;
}

export const METRIC_NAMES = [
  'latency',
  'ttft',
  'error_rate',
  'timeout_rate',
  'cost',
  'throughput',
  'token_usage',
  'anomaly_severity',
] as const;
export type MetricName = (typeof METRIC_NAMES)[number];

const measure = (...measures: string[]): Subject => ({ kind: 'measure', measures, orSumOf: [] });
const statusShare = (...values: string[]): Subject => ({ kind: 'share', dim: 'status', values });

export const METRICS: Readonly<Record<MetricName, MetricDefinition>> = {
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
};

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(METRICS, name);

/** What a comparison looks at, as its author said it: at most one of the three. None: the events themselves. */
export interface Looked {
  metric?: MetricName | undefined;
  measure?: string | undefined;
  dim?: string | undefined;
}

export interface Meaning {
  subject: Subject;
  aggregation: Aggregation;
}

/** The aggregation for a comparison that names none. */
export function defaultAggregation({ metric, measure: own, dim }: Looked): Aggregation {
  if (metric !== undefined) return METRICS[metric].defaultAggregation;
  if (own !== undefined) return 'avg';
  return dim === undefined ? 'count' : 'distinct';
}

/** What a metric under an aggregation stands for; null where it means nothing, such as the p95 of an error rate. */
export function meaning(looked: Looked, aggregation: Aggregation): Meaning | null {
  const subject = subjectOf(looked);
  switch (subject.kind) {
    case 'measure':
      return { subject, aggregation };
    case 'dim':
      return aggregation === 'distinct' ? { subject, aggregation } : null;
    case 'share':
      return aggregation === 'avg' || aggregation === 'count' || aggregation === 'rate' ? { subject, aggregation } : null;
    case 'event':
      return eventMeaning(subject, aggregation, looked.metric === 'throughput');
  }
}

function subjectOf({ metric, measure: own, dim }: Looked): Subject {
  if (metric !== undefined) return METRICS[metric].subject;
  if (own !== undefined) return measure(own);
  return dim === undefined ? { kind: 'event' } : { kind: 'dim', dim };
}

/** Throughput is known by its everyday words too: its average is its rate, its sum its count. */
function eventMeaning(subject: Subject, aggregation: Aggregation, isThroughput: boolean): Meaning | null {
  if (aggregation === 'rate' || (isThroughput && aggregation === 'avg')) return { subject, aggregation: 'rate' };
  return aggregation === 'count' || (isThroughput && aggregation === 'sum') ? { subject, aggregation: 'count' } : null;
}
