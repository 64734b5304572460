import { expect, test } from 'vitest';
import { comparison, ruleOf } from '../test/a-rule.ts';
import { meaning, METRIC_NAMES } from './catalogue.ts';
import { AGGREGATIONS } from './aggregations.ts';

const ALL = [...AGGREGATIONS];
const MEANT = {
  latency: ALL,
  ttft: ALL,
  cost: ALL,
  token_usage: ALL,
  anomaly_severity: ALL,
  error_rate: ['avg', 'count', 'rate'],
  timeout_rate: ['avg', 'count', 'rate'],
  throughput: ['avg', 'sum', 'count', 'rate'],
};

test.each(METRIC_NAMES)('%s takes the aggregations that mean something and no other', (metric) => {
  expect(AGGREGATIONS.filter((aggregation) => meaning({ metric }, aggregation) !== null)).toEqual(MEANT[metric]);
});

test('a measure of one’s own takes them all, a dimension distinct, events count and rate', () => {
  expect(AGGREGATIONS.filter((aggregation) => meaning({ measure: 'queue_depth' }, aggregation) !== null)).toEqual(ALL);
  expect(AGGREGATIONS.filter((aggregation) => meaning({ dim: 'user' }, aggregation) !== null)).toEqual(['distinct']);
  expect(AGGREGATIONS.filter((aggregation) => meaning({}, aggregation) !== null)).toEqual(['count', 'rate']);
});

const OWN = { metric: undefined };
test.each([
  [{}, { subject: { kind: 'measure', measures: ['duration_ms'], orSumOf: [] }, aggregation: 'p95' }, 'ms'],
  [{ aggregation: 'count' }, { aggregation: 'count' }, 'events'],
  [{ aggregation: 'distinct' }, { aggregation: 'distinct' }, null],
  [
    { metric: 'token_usage' },
    { subject: { kind: 'measure', measures: ['total_tokens'], orSumOf: ['input_tokens', 'output_tokens'] }, aggregation: 'sum' },
    'tokens',
  ],
  [{ metric: 'token_usage', aggregation: 'rate' }, { aggregation: 'rate', ratePerMs: 60_000 }, 'per minute'],
  [{ metric: 'cost', aggregation: 'rate', unit: 'perHour' }, { aggregation: 'rate', ratePerMs: 3_600_000 }, 'per hour'],
  [{ metric: 'cost', unit: 'EUR' }, { aggregation: 'sum' }, 'EUR'],
  [{ metric: 'error_rate' }, { subject: { kind: 'share', dim: 'status', values: ['error', 'timeout'] }, aggregation: 'avg' }, 'percent'],
  [{ metric: 'error_rate', aggregation: 'rate' }, { aggregation: 'rate' }, 'per minute'],
  [{ metric: 'timeout_rate' }, { subject: { kind: 'share', dim: 'status', values: ['timeout'] } }, 'percent'],
  [{ metric: 'throughput' }, { subject: { kind: 'event' }, aggregation: 'rate', ratePerMs: 60_000 }, 'per minute'],
  [{ metric: 'throughput', aggregation: 'avg', unit: 'perHour' }, { aggregation: 'rate', ratePerMs: 3_600_000 }, 'per hour'],
  [{ metric: 'throughput', aggregation: 'sum' }, { aggregation: 'count' }, 'events'],
  [{ metric: 'anomaly_severity' }, { aggregation: 'max' }, null],
  [
    { ...OWN, measure: 'queue_depth', unit: 'jobs' },
    { subject: { kind: 'measure', measures: ['queue_depth'], orSumOf: [] }, aggregation: 'avg' },
    'jobs',
  ],
  [{ ...OWN, dim: 'user' }, { subject: { kind: 'dim', dim: 'user' }, aggregation: 'distinct' }, null],
  [{ ...OWN, name: 'signup' }, { name: 'signup', subject: { kind: 'event' }, aggregation: 'count' }, 'events'],
])('%j is read as %j in %s', (over, query, unit) => {
  const { comparisons, windows } = ruleOf({ condition: comparison(over) });
  expect(windows[0]?.query).toMatchObject(query);
  expect(comparisons[0]?.unit).toBe(unit);
});
