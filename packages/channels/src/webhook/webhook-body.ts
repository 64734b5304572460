import type { Notification, WebhookBody } from '@tocsin/domain';

/** The notification in the words receivers know; `id` is the delivery's, so that a repeated send is recognised. */
export function webhookBody({
  deliveryId,
  kind,
  timestamp,
  tenant,
  alert,
  rule,
  context,
  undelivered,
  failing,
}: Notification): WebhookBody {
  const data = {
    alert,
    rule,
    context,
    ...(undelivered === undefined ? {} : { undelivered }),
    ...(failing === undefined ? {} : { failing }),
  };
  const type = kind === 'test' ? 'test' : kind === 'channel_failing' ? 'channel.failing' : (`alert.${kind}` as const);
  return { id: deliveryId, type, timestamp, tenant, data };
}
