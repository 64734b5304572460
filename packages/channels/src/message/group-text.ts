import { formatValue, type AlertGroup, type GroupedAlert, type LaterReason, type Severity } from '@tocsin/domain';
import { truncate } from './cut.ts';
import { capital, oneLine } from './tidy.ts';

/** Of each part of a line, so that one long label does not push the other alerts out of the message. */
const PART_MAX = 60;

/** `Critical`, of the worst of them; `Resolved` where all are over; `Digest · Warning`, `After quiet hours · Error`. */
export function groupWord({ count, resolved, reason }: AlertGroup, severity: Severity): string {
  const word = resolved === count ? 'Resolved' : capital(severity);
  if (reason === 'digest') return `Digest · ${word}`;
  return reason === 'quiet_hours' ? `After quiet hours · ${word}` : word;
}

/** `Checkout latency · 14 alerts`, `142 alerts of 12 rules`. */
export const groupName = ({ count, rules }: AlertGroup, name: string): string => {
  const alerts = count === 1 ? '1 alert' : `${count} alerts`;
  return rules === 1 ? `${name} · ${alerts}` : `${alerts} of ${rules} rules`;
};

/** How many are open, and the worst of them a line each: one text, as media that show few texts would else leave most of it out. */
export function groupText(group: AlertGroup): string {
  const { count, resolved, worst } = group;
  const open = count - resolved;
  const state = resolved === 0 ? `${open} firing` : open === 0 ? `${resolved} resolved` : `${open} firing, ${resolved} resolved`;
  const rest = count - worst.length;
  return [
    `${state}${whyTogether(group)}`,
    ...worst.map((alert) => groupedLine(alert, group.rules > 1)),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join('\n');
}

function whyTogether({ reason, began = 0 }: AlertGroup): string {
  const begun = began === 1 ? '1 of them began' : `${began} of them began`;
  switch (reason) {
    case 'group':
      return '';
    case 'storm':
      return '. More came in a minute than this channel takes one by one, so they are told together';
    case 'quiet_hours':
      return `. This is what happened in the quiet hours of this channel; ${begun} meanwhile`;
    case 'digest':
      return `. This is what this channel collects and is told together; ${begun} since the last time`;
  }
}

/** Of one that waited alone: nobody is to take it for news of this minute. */
export const waitedLine = (waited: LaterReason): string =>
  waited === 'digest'
    ? 'It is told now because this channel collects what is as mild'
    : 'It waited for the end of the quiet hours of this channel';

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
