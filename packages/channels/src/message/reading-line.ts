import { formatValue, type AlertSnapshot } from '@tocsin/domain';

/** `p95 latency is 2,480 ms (limit > 1,000 ms)`. */
export function readingLine(alert: AlertSnapshot): string {
  // What stands for another rule has no window and no number of its own.
  if (alert.window === '0s') return alert.metric;
  const isOwnWord = alert.origin?.kind === 'ratio' || alert.origin?.kind === 'anomaly_severity';
  const what = isOwnWord ? alert.metric : `${alert.aggregation} ${alert.metric}`;
  const limit = alert.threshold === null ? 'no limit yet' : `limit ${alert.operator} ${formatValue(alert.threshold, alert.unit)}`;
  return alert.value === null ? `${what} has no data (${limit})` : `${what} is ${formatValue(alert.value, alert.unit)} (${limit})`;
}
