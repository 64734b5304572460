import { formatValue, type AlertSnapshot, type Notification } from '@tocsin/domain';

/** Those whose headline begins with a word of their own. */
const KIND_WORDS = {
  reminded: 'Still firing',
  resolved: 'Resolved',
  no_data: 'No data',
  acknowledged: 'Acknowledged',
  test: 'Test',
} as const;

/** `Critical · Checkout latency`, `Resolved · Checkout latency`. Plain text, unescaped. */
export function headline({ kind, alert, undelivered }: Notification): string {
  const severity = alert.severity.charAt(0).toUpperCase() + alert.severity.slice(1);
  if (kind === 'fired') return `${severity} · ${alert.name}`;
  if (kind === 'unsilenced') return `${severity} · ${alert.name} (muted until now)`;
  if (kind === 'unacknowledged') return `Unacknowledged for ${alert.unacknowledgedFor ?? 'too long'} · ${severity} · ${alert.name}`;
  if (kind === 'undelivered') return `Not delivered to ${undelivered?.channel ?? 'a channel'} · ${alert.name}`;
  return kind === 'escalated' ? `Escalated to ${alert.severity} · ${alert.name}` : `${KIND_WORDS[kind]} · ${alert.name}`;
}

/** `p95 latency is 2,480 ms (limit > 1,000 ms)`. Plain text, unescaped. */
export function readingLine(alert: AlertSnapshot): string {
  // What stands for another rule has no window and no number of its own.
  if (alert.window === '0s') return alert.metric;
  const isOwnWord = alert.origin?.kind === 'ratio' || alert.origin?.kind === 'anomaly_severity';
  const what = isOwnWord ? alert.metric : `${alert.aggregation} ${alert.metric}`;
  const limit = alert.threshold === null ? 'no limit yet' : `limit ${alert.operator} ${formatValue(alert.threshold, alert.unit)}`;
  return alert.value === null ? `${what} has no data (${limit})` : `${what} is ${formatValue(alert.value, alert.unit)} (${limit})`;
}

/** What is to be said beside the reading: who has it, where the threshold came from, that it flaps, that more series breach. Plain text, unescaped. */
export function remarks({ why, flapping, excess, status, acknowledgedBy }: AlertSnapshot): string[] {
  return [
    ...(acknowledgedBy === undefined || status !== 'acknowledged' ? [] : [`Acknowledged by ${acknowledgedBy}`]),
    ...(why === undefined ? [] : [why.charAt(0).toUpperCase() + why.slice(1)]),
    ...(flapping ? ['Flapping: it changes so often that this is one alert until it has calmed down'] : []),
    ...(excess === undefined ? [] : [`${excess} more series breach than may have an alert of their own`]),
  ];
}

/** `model=gpt-4o, operation=chat`; null without group-by. Plain text, unescaped. */
export function seriesLine({ labels }: AlertSnapshot): string | null {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? null : pairs.map(([name, value]) => `${name}=${value}`).join(', ');
}
