import type { Notification, WebhookBody } from '@tocsin/domain';

/** The notification in the words receivers know; `id` is the delivery's, so that a repeated send is recognised. */
export function webhookBody({ deliveryId, kind, timestamp, tenant, alert, rule, context, undelivered }: Notification): WebhookBody {
  const data = { alert, rule, context, ...(undelivered === undefined ? {} : { undelivered }) };
  return { id: deliveryId, type: kind === 'test' ? 'test' : `alert.${kind}`, timestamp, tenant, data };
}
