import { expect, test } from 'vitest';
import { alertTypeNameAt, alertTypeNameOf, type AlertTypeName } from './alert-type-name.ts';
import { compileRule } from './compile-rule.ts';
import { parseRule } from './parse-rule.ts';
import type { AlertType } from './series-state.ts';
import type { Severity } from './severity.ts';

const nameOf = (condition: object, severity: Severity = 'warning', cause: AlertType = 'threshold'): AlertTypeName => {
  const parsed = parseRule({ name: 'R', condition: { window: '5m', ...condition } });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const [comparison] = compileRule(parsed.spec).comparisons;
  return alertTypeNameOf(comparison!, cause, severity);
};

test.each<[object, AlertTypeName]>([
  [{ metric: 'latency', operator: '>', threshold: 1 }, 'latency_high'],
  [{ metric: 'latency', operator: '>=', threshold: 1 }, 'latency_high'],
  [{ metric: 'latency', operator: '<', threshold: 1 }, 'custom'],
  [{ metric: 'error_rate', operator: '>', threshold: 1 }, 'error_rate_high'],
  [{ metric: 'timeout_rate', operator: '>', threshold: 1 }, 'custom'],
  [{ metric: 'cost', operator: '>', threshold: 1 }, 'cost_high'],
  [{ metric: 'ttft', operator: '>', threshold: 1 }, 'ttft_high'],
  [{ metric: 'token_usage', operator: '>', threshold: 1 }, 'token_usage_high'],
  [{ metric: 'throughput', operator: '<', threshold: 1 }, 'throughput_low'],
  [{ metric: 'throughput', operator: '<=', threshold: 1 }, 'throughput_low'],
  [{ metric: 'throughput', operator: '>', threshold: 1 }, 'custom'],
  [{ measure: 'queue_depth', operator: '>', threshold: 1 }, 'custom'],
  [{ metric: 'latency', operator: '>', threshold: { anomaly: { score: 3 } } }, 'anomaly_high'],
])('%j is %s', (condition, name) => {
  expect(nameOf(condition)).toBe(name);
});

test('an anomaly is named by how bad it is, and keeps the worse name', () => {
  const condition = { metric: 'latency', operator: '>', threshold: { anomaly: { score: 3 } } };
  expect(nameOf(condition, 'critical')).toBe('anomaly_critical');
  expect(alertTypeNameAt('anomaly_high', 'critical')).toBe('anomaly_critical');
  expect(alertTypeNameAt('anomaly_critical', 'warning')).toBe('anomaly_critical');
  expect(alertTypeNameAt('latency_high', 'critical')).toBe('latency_high');
});

test('missing data and failed queries have no metric on a bad side', () => {
  const condition = { metric: 'latency', operator: '>', threshold: 1 };
  expect(nameOf(condition, 'warning', 'no_data')).toBe('custom');
  expect(nameOf(condition, 'warning', 'error')).toBe('custom');
});
