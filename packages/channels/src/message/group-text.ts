import { formatValue, type AlertGroup, type GroupedAlert, type Severity } from '@tocsin/domain';
import { truncate } from './cut.ts';
import { capital, oneLine } from './tidy.ts';

/** Of each part of a line, so that one long label does not push the other alerts out of the message. */
const PART_MAX = 60;

/** `Critical`, of the worst of them; `Resolved` where all are over. */
export const groupWord = ({ count, resolved }: AlertGroup, severity: Severity): string =>
  resolved === count ? 'Resolved' : capital(severity);

/** `Checkout latency · 14 alerts`, `142 alerts of 12 rules`. */
export const groupName = ({ count, rules }: AlertGroup, name: string): string => {
  const alerts = count === 1 ? '1 alert' : `${count} alerts`;
  return rules === 1 ? `${name} · ${alerts}` : `${alerts} of ${rules} rules`;
};

/** How many are open, and the worst of them a line each: one text, as media that show few texts would else leave most of it out. */
export function groupText(group: AlertGroup): string {
  const { count, resolved, worst, reason } = group;
  const open = count - resolved;
  const state = resolved === 0 ? `${open} firing` : open === 0 ? `${resolved} resolved` : `${open} firing, ${resolved} resolved`;
  const rest = count - worst.length;
  return [
    `${state}${reason === 'storm' ? '. More came in a minute than this channel takes one by one, so they are told together' : ''}`,
    ...worst.map((alert) => groupedLine(alert, group.rules > 1)),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join('\n');
}

/** `critical · Checkout latency · model=gpt-4o · 2,480 ms (limit > 1,000 ms)`. */
function groupedLine(
  { status, severity, name, labels, metric, value, unit, operator, threshold }: GroupedAlert,
  withName: boolean,
): string {
  const series = Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, text]) => `${label}=${text}`)
    .join(', ');
  const limit = threshold === null ? '' : ` (limit ${operator} ${formatValue(threshold, unit)})`;
  const parts = [
    status === 'resolved' ? 'resolved' : severity,
    ...(withName ? [name] : []),
    ...(series === '' ? [] : [series]),
    `${value === null ? `${metric} has no data` : formatValue(value, unit)}${limit}`,
  ];
  return parts.map((part) => truncate(oneLine(part), PART_MAX)).join(' · ');
}
