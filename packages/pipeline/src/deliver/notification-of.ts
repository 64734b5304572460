import type { OpenDelivery } from '@tocsin/db';
import {
  formatValue,
  groupOf,
  type GroupMember,
  handlingOf,
  renderTemplate,
  type AlertSnapshot,
  type Notification,
  type NotificationContext,
} from '@tocsin/domain';
import { LINK_LIFETIME_MS, unsignedLink } from './alert-link.ts';
import type { FoldedGroup } from './folded-group.ts';

/** What there is to put into words of a delivery. */
export type Telling = Pick<OpenDelivery, 'tenantId' | 'id' | 'kind' | 'told' | 'tenantExternalKey' | 'nowMs'> &
  Partial<Pick<OpenDelivery, 'tellsEarlier' | 'heldFor' | 'channelId'>>;

/** What a delivery tells, in words. Its parts are as they were at the trigger, but for the annotations, which are the rule's of now. */
export function notificationOf(delivery: Telling, publicUrl: string | null, group?: FoldedGroup): Notification {
  const { tenantId, id: deliveryId, kind, told, tenantExternalKey } = delivery;
  const tenant = { id: tenantId, externalKey: tenantExternalKey };
  if (kind === 'test') return { deliveryId, kind, tenant, ...madeUp(delivery) };
  if (told === null) throw new Error(`delivery ${deliveryId} has lost its trigger`);
  const folded = delivery.tellsEarlier === true ? { folded: foldedWords(told.snapshot) } : {};
  const urlOf = (id: string): string | null => (publicUrl === null ? null : `${publicUrl}/alerts/${id}`);
  const alert = { ...told.snapshot, ...folded, url: urlOf(told.snapshot.id) };
  const withUrl = ({ snapshot, rule }: GroupMember): GroupMember => ({ rule, snapshot: { ...snapshot, url: urlOf(snapshot.id) } });
  const notification: Notification = {
    deliveryId,
    kind,
    timestamp: new Date(told.createdMs).toISOString(),
    tenant,
    alert,
    rule: told.rule,
    context: contextOf(alert, told.annotations),
    ...(group === undefined
      ? {}
      : { group: groupOf([...group.members, { snapshot: alert, rule: told.rule }].map(withUrl), group.reason, group.began) }),
    ...(delivery.heldFor == null ? {} : { waited: delivery.heldFor }),
  };
  return { ...notification, ...handleOf(delivery, publicUrl, notification) };
}

/** Pages to act on the alert with one tap, for those who are told through a channel. Their addresses are no good before the message is sent. */
function handleOf(
  { tenantId, channelId, nowMs }: Telling,
  publicUrl: string | null,
  notification: Notification,
): Pick<Notification, 'handle'> {
  const actions = handlingOf(notification);
  if (publicUrl === null || channelId == null || actions.length === 0) return {};
  const link = { tenantId, channelId, alertId: notification.alert.id, expiresMs: nowMs + LINK_LIFETIME_MS };
  return { handle: Object.fromEntries(actions.map((action) => [action, unsignedLink(publicUrl, { ...link, action })])) };
}

/** Nobody is to take an alert that is over for one that has only begun, or never was. */
const foldedWords = ({ startedAt, resolvedAt }: AlertSnapshot): string =>
  `It fired at ${startedAt} and was resolved at ${resolvedAt ?? 'a time that is not known'}; neither could be sent before, so this is both`;

function contextOf(alert: AlertSnapshot, annotations: Readonly<Record<string, string>>): NotificationContext {
  const { severity, status, metric, aggregation, operator, window, samples, labels } = alert;
  const values = {
    value: formatValue(alert.value, alert.unit),
    threshold: formatValue(alert.threshold, alert.unit),
    rule: alert.name,
    severity,
    status,
    metric,
    aggregation,
    operator,
    window,
    samples,
    labels,
    series: labels,
  };
  return Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, renderTemplate(text, values)]));
}

/** An alert that never was, to show what one looks like. */
function madeUp({ id, nowMs }: Telling): Pick<Notification, 'timestamp' | 'alert' | 'rule' | 'context'> {
  const timestamp = new Date(nowMs).toISOString();
  const alert: AlertSnapshot = {
    id,
    name: 'Test message',
    alertType: 'latency_high',
    cause: 'threshold',
    status: 'triggered',
    severity: 'info',
    metric: 'latency',
    aggregation: 'p95',
    operator: '>',
    value: 1_250,
    threshold: 1_000,
    unit: 'ms',
    window: '5m',
    samples: 42,
    labels: { operation: 'example' },
    startedAt: timestamp,
    resolvedAt: null,
    url: null,
  };
  return {
    timestamp,
    alert,
    rule: { id, key: 'test', name: 'Test message' },
    context: { summary: 'A test of this channel. No alert is behind it.' },
  };
}
