import type { Comparison } from './compiled-rule.ts';
import type { AlertType } from './series-state.ts';
import type { Severity } from './severity.ts';

/** What kind of trouble an alert is, in words that filters and preferences can name. */
export const ALERT_TYPE_NAMES = [
  'latency_high',
  'error_rate_high',
  'cost_high',
  'throughput_low',
  'ttft_high',
  'token_usage_high',
  'anomaly_critical',
  'anomaly_high',
  'custom',
] as const;
export type AlertTypeName = (typeof ALERT_TYPE_NAMES)[number];

const WHEN_HIGH: Readonly<Record<string, AlertTypeName>> = {
  latency: 'latency_high',
  error_rate: 'error_rate_high',
  cost: 'cost_high',
  ttft: 'ttft_high',
  token_usage: 'token_usage_high',
};

/**
 * Names an alert by the comparison that leads it: what is compared with its own past is an anomaly, a metric of the catalogue on its bad side has a
 * name of its own. Everything else, missing data and failed queries included, is `custom`.
 */
export function alertTypeNameOf(
  { metric, value, operator, limits }: Pick<Comparison, 'metric' | 'value' | 'operator' | 'limits'>,
  cause: AlertType,
  severity: Severity,
): AlertTypeName {
  if (cause !== 'threshold') return 'custom';
  if (value.kind === 'anomaly_severity' || limits.some((limit) => limit?.kind === 'anomaly'))
    return alertTypeNameAt('anomaly_high', severity);
  if (operator === '>' || operator === '>=') return WHEN_HIGH[metric] ?? 'custom';
  return metric === 'throughput' && (operator === '<' || operator === '<=') ? 'throughput_low' : 'custom';
}

/** The name at another severity: an anomaly that becomes critical is called so, and stays it. */
export const alertTypeNameAt = (name: AlertTypeName, severity: Severity): AlertTypeName =>
  name === 'anomaly_high' && severity === 'critical' ? 'anomaly_critical' : name;
