import { expect, test } from 'vitest';
import { comparison, draft, specOf } from '../test/a-rule.ts';
import { describeRule } from './describe-rule.ts';

const OWN = { metric: undefined };

test.each<[object, string]>([
  [{}, 'Warning when p95 latency is above 1,000 ms over 5m.'],
  [
    {
      severity: 'critical',
      groupBy: ['operation'],
      for: '2m',
      condition: {
        all: [
          comparison({ where: { env: 'prod', model: ['a', 'b'] }, threshold: 2_500, window: '15m', minSamples: 10 }),
          { not: comparison({ metric: 'error_rate', operator: '<', threshold: 1 }) },
        ],
      },
    },
    'Critical when p95 latency where env is prod and model is a or b is above 2,500 ms over 15m (at least 10 samples) and not (error rate is below 1 % over 5m), for each operation, for at least 2m.',
  ],
  [
    {
      condition: {
        all: [
          { any: [comparison(), comparison({ metric: 'cost', threshold: 5 })] },
          comparison({ metric: 'throughput', operator: '>=', threshold: 60 }),
        ],
      },
    },
    'Warning when (p95 latency is above 1,000 ms over 5m or the total cost is above $5.00 over 5m) and throughput is at or above 60 per minute over 5m.',
  ],
  [
    { condition: comparison({ ...OWN, name: 'signup', operator: '<', threshold: 1 }) },
    'Warning when the number of events of signup is below 1 over 5m.',
  ],
  [{ condition: comparison({ ...OWN, dim: 'user', threshold: 50 }) }, 'Warning when the number of distinct user is above 50 over 5m.'],
  [
    { condition: comparison({ ...OWN, measure: 'queue_depth', unit: 'jobs', aggregation: 'max' }) },
    'Warning when the highest queue_depth is above 1,000 jobs over 5m.',
  ],
  [
    { condition: comparison({ metric: 'error_rate', aggregation: 'count', threshold: 3 }) },
    'Warning when the number of failed events is above 3 over 5m.',
  ],
  [
    { condition: comparison({ metric: 'cost', aggregation: 'rate', unit: 'perHour', threshold: 60 }) },
    'Warning when the rate of events with cost is above 60 per hour over 5m.',
  ],
  [{ condition: comparison({ aggregation: 'p50', operator: '!=' }) }, 'Warning when the median latency is not 1,000 ms over 5m.'],
  [
    { condition: comparison({ where: { model: { prefix: 'gpt-', not: 'gpt-4' }, user: { exists: false }, cost: { '>': 1 } } }) },
    'Warning when p95 latency where model starts with gpt- and model is not gpt-4 and user is missing and cost is above 1 is above 1,000 ms over 5m.',
  ],
])('%#', (over, sentence) => {
  expect(describeRule(specOf(draft(over)))).toBe(sentence);
});
