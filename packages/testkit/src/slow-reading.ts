import type { AlertReading } from '@tocsin/db';

/** What an evaluator writes of an alert on slow calls: a p95 of two seconds over five minutes, where one is the limit. */
export const slowReading = (changes: Partial<AlertReading> = {}): AlertReading => ({
  comparison: 0,
  metric: 'latency',
  aggregation: 'p95',
  operator: '>',
  value: 2_000,
  threshold: 1_000,
  unit: 'ms',
  windowMs: 300_000,
  samples: 12,
  peak: 2_000,
  ...changes,
});
