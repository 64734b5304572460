import type { Notification } from '@tocsin/domain';
import { truncate, truncateBytes } from '../message/cut.ts';
import { alertUrl, headline, type Message } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';

// https://developer.pagerduty.com/docs/events-api-v2-overview
export const PAGERDUTY_MAX = { dedupKey: 255, summary: 1_024, bytes: 512 * 1_024 } as const;
/** Each of a handful of texts: all together stay far below the whole. */
const DETAIL_MAX = 4_096;
const SOURCE_MAX = 255;

export interface PagerDutyEvent {
  event_action: 'trigger' | 'acknowledge' | 'resolve';
  dedup_key: string;
  client: string;
  client_url?: string;
  links: { href: string; text: string }[];
  payload: {
    summary: string;
    source: string;
    severity: 'critical' | 'error' | 'warning' | 'info';
    timestamp: string;
    component: string;
    class: string;
    custom_details: Record<string, unknown>;
  };
}

/** All but the routing key, which is a secret: what is frozen is kept readable. Repeats and reminders of an alert are one incident. */
export function pagerDutyEvent(notification: Notification): PagerDutyEvent {
  const message = messageOf(notification);
  const { alert, kind, timestamp, deliveryId } = notification;
  const url = alertUrl(message);
  return {
    // of an alert that is over by now nobody would close what is opened, whoever was not told of its end
    event_action: message.isOver ? 'resolve' : kind === 'acknowledged' ? 'acknowledge' : 'trigger',
    // a test is an incident of its own
    dedup_key: truncate(kind === 'test' ? deliveryId : alert.id, PAGERDUTY_MAX.dedupKey),
    client: 'Tocsin',
    ...(url === null ? {} : { client_url: url }),
    links: message.links.map(({ face, url }) => ({ href: url, text: face })),
    payload: {
      summary: truncate(`${headline(message)}: ${message.sentence}`, PAGERDUTY_MAX.summary),
      source: truncate(sourceOf(message), SOURCE_MAX),
      severity: alert.severity,
      timestamp,
      component: truncate(message.rule.key, SOURCE_MAX),
      class: alert.alertType,
      custom_details: detailsOf(message),
    },
  };
}

const sourceOf = ({ tenant, labels }: Message): string =>
  labels.find(({ name }) => /^(host|service|operation)$/.test(name))?.value ?? tenant;

const detailsOf = (message: Message): Record<string, unknown> => ({
  ...(message.summary === null ? {} : { summary: truncateBytes(message.summary, DETAIL_MAX) }),
  ...(message.remarks.length === 0 ? {} : { remarks: message.remarks.map((remark) => truncateBytes(remark, DETAIL_MAX)) }),
  labels: Object.fromEntries(message.labels.map(({ name, value }) => [truncateBytes(name, DETAIL_MAX), truncateBytes(value, DETAIL_MAX)])),
  ...(message.labelsLeftOut === 0 ? {} : { labels_left_out: message.labelsLeftOut }),
  ...Object.fromEntries(message.facts.map(({ name, text }) => [name.toLowerCase(), truncateBytes(text, DETAIL_MAX)])),
  rule: truncateBytes(message.rule.name, DETAIL_MAX),
});
