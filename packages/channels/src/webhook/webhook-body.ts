import type { MessageKind, Notification, WebhookBody } from '@tocsin/domain';

/**
 * The notification in the words receivers know; `id` is the delivery's, so that a repeated send is recognised. What is for people to tap is left
 * out: a program has a key.
 */
export function webhookBody({ deliveryId: id, kind, timestamp, tenant, handle: _forPeople, ...data }: Notification): WebhookBody {
  return { id, type: typeOf(kind), timestamp, tenant, data };
}

/** What such a body was made of. */
export const notificationOf = ({ id, type, timestamp, tenant, data }: WebhookBody): Notification => ({
  deliveryId: id,
  kind: kindOf(type),
  timestamp,
  tenant,
  ...data,
});

function typeOf(kind: MessageKind): WebhookBody['type'] {
  if (kind === 'test') return 'test';
  return kind === 'channel_failing' ? 'channel.failing' : `alert.${kind}`;
}

function kindOf(type: WebhookBody['type']): MessageKind {
  if (type === 'test') return 'test';
  return type === 'channel.failing' ? 'channel_failing' : (type.slice('alert.'.length) as MessageKind);
}
