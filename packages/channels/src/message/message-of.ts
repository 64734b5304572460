import { formatValue, type AlertSnapshot, type FailingChannel, type Notification } from '@tocsin/domain';
import { groupName, groupText, groupWord, waitedLine } from './group-text.ts';
import { linksOf } from './links.ts';
import type { Fact, Message } from './message.ts';
import { readingLine } from './reading-line.ts';
import { capital, oneLine, severalLines } from './tidy.ts';
import { spanText, timeText } from './time-words.ts';

const LABELS_MAX = 8;

const SEVERITY_ICONS = { critical: '🔴', error: '🟠', warning: '🟡', info: '🔵' } as const;

/** Puts a notification into words. Pure. */
export function messageOf(notification: Notification): Message {
  const { kind, alert, rule, context, tenant, group } = notification;
  const names = Object.keys(alert.labels).sort();
  const isOver = kind === 'resolved' || alert.status === 'resolved';
  return {
    kind,
    severity: alert.severity,
    isOver,
    icon: isOver ? '✅' : iconOf(notification),
    word: oneLine(wordOf(notification)),
    name: oneLine(group === undefined ? alert.name : groupName(group, alert.name)),
    sentence: oneLine(isOver ? endLine(alert) : readingLine(alert)),
    summary: context.summary === undefined ? null : severalLines(context.summary),
    remarks: [...(group === undefined ? [] : [groupText(group)]), ...remarksOf(notification).map(oneLine)],
    labels: names.slice(0, LABELS_MAX).map((name) => ({ name: oneLine(name), value: oneLine(alert.labels[name] ?? '') })),
    labelsLeftOut: Math.max(0, names.length - LABELS_MAX),
    facts: factsOf(notification),
    links: linksOf(notification),
    rule: { key: oneLine(rule.key), name: oneLine(rule.name) },
    tenant: oneLine(tenant.externalKey),
    startedAt: alert.startedAt,
    resolvedAt: alert.resolvedAt,
  };
}

function iconOf({ kind, alert, group }: Notification): Message['icon'] {
  if (kind === 'test') return '🔔';
  if (kind === 'acknowledged') return '👀';
  return kind === 'no_data' && group === undefined ? '⚪' : SEVERITY_ICONS[alert.severity];
}

function wordOf({ kind, alert, undelivered, failing, group }: Notification): string {
  if (group !== undefined) return groupWord(group, alert.severity);
  switch (kind) {
    case 'fired':
      return capital(alert.severity);
    case 'unsilenced':
      return `${capital(alert.severity)}, muted until now`;
    case 'escalated':
      return `Escalated to ${alert.severity}`;
    case 'reminded':
      return 'Still firing';
    case 'resolved':
      return 'Resolved';
    case 'unacknowledged':
      return `Unacknowledged for ${alert.unacknowledgedFor ?? 'too long'} · ${capital(alert.severity)}`;
    case 'acknowledged':
      return 'Acknowledged';
    case 'no_data':
      return 'No data';
    case 'test':
      return 'Test';
    case 'undelivered':
      return `Not delivered to ${undelivered?.channel ?? 'a channel'}`;
    case 'channel_failing':
      return `Channel ${failing?.channel ?? ''} is failing`;
  }
}

/** `Lasted 11m · peak 22.1 % · error_rate is 1.2 % (limit > 15 %)`. */
function endLine(alert: AlertSnapshot): string {
  const lasted = lastedMs(alert);
  return [
    ...(lasted === null ? [] : [`Lasted ${spanText(lasted)}`]),
    ...(alert.peak === undefined ? [] : [`peak ${formatValue(alert.peak, alert.unit)}`]),
    readingLine(alert),
  ].join(' · ');
}

function remarksOf(notification: Notification): string[] {
  const { alert, undelivered, failing, group, waited } = notification;
  const { why, flapping, excess, folded, status, acknowledgedBy } = alert;
  return [
    ...(waited === undefined || group !== undefined ? [] : [waitedLine(waited)]),
    ...(undelivered === undefined ? [] : [`${undelivered.channel} was not told of this: ${undelivered.reason}`]),
    ...(acknowledgedBy === undefined || status !== 'acknowledged' ? [] : [`Acknowledged by ${acknowledgedBy}`]),
    ...(failing === undefined ? [] : [failingLine(failing)]),
    ...(folded === undefined ? [] : [folded]),
    ...(why === undefined ? [] : [capital(why)]),
    ...(flapping ? ['Flapping: it changes so often that this is one alert until it has calmed down'] : []),
    ...(excess === undefined ? [] : [`${excess} more series breach than may have an alert of their own`]),
  ];
}

function factsOf({ kind, alert, tenant }: Notification): Fact[] {
  const lasted = lastedMs(alert);
  const facts: Fact[] = [
    ...(kind === 'fired' || kind === 'test' ? [] : [{ name: 'Severity', text: capital(alert.severity) }]),
    { name: 'Since', text: timeText(alert.startedAt) },
    ...(alert.resolvedAt === null ? [] : [{ name: 'Resolved', text: timeText(alert.resolvedAt) }]),
    ...(lasted === null ? [] : [{ name: 'Lasted', text: spanText(lasted) }]),
    ...(alert.peak === undefined ? [] : [{ name: 'Peak', text: formatValue(alert.peak, alert.unit) }]),
    // what stands for another rule has no window of its own
    ...(alert.window === '0s' ? [] : [{ name: 'Window', text: `${alert.window}, ${alert.samples} samples` }]),
    { name: 'Tenant', text: tenant.externalKey },
  ];
  return facts.map(({ name, text }) => ({ name, text: oneLine(text) }));
}

const failingLine = ({ channel, failures, since, reason }: FailingChannel): string =>
  `${failures} messages in a row did not reach ${channel} since ${since}: ${reason}. This alert waits there`;

/** Null while it is open. */
const lastedMs = ({ startedAt, resolvedAt }: AlertSnapshot): number | null =>
  resolvedAt === null ? null : Date.parse(resolvedAt) - Date.parse(startedAt);
