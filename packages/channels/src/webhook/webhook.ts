import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import { postJson } from '../post-json.ts';
import { leaves } from '../secrets.ts';
import { customHeaders } from './custom-headers.ts';
import { isWebhookSecret, newWebhookSecret, signatureHeaders } from './sign.ts';
import { bodyAs } from './body-as.ts';
import { bodyTemplate } from './template-body.ts';
import { webhookBody } from './webhook-body.ts';

const SECRETS_MAX = 5;
const secret = z.string().refine(isWebhookSecret, 'must be whsec_ followed by the base64 of 24 to 64 bytes');

const FORMATS = ['tocsin', 'alertmanager', 'template'] as const;

const config = z
  .strictObject({
    url: outboundUrl.meta({ title: 'URL', outbound: true }),
    /** One made by us where none is given; several while they are exchanged. */
    secret: z
      .union([secret, z.array(secret).min(1).max(SECRETS_MAX)])
      .default(newWebhookSecret)
      .meta({ title: 'Signing secret', description: 'Made by us where none is given.', secret: true }),
    headers: customHeaders.default({}).meta({ title: 'Headers', secret: true }),
    format: z
      .enum(FORMATS)
      .optional()
      .meta({ title: 'Body', description: 'tocsin, unless said otherwise; alertmanager is its webhook, version 4; template is your own.' }),
    template: bodyTemplate.optional().meta({ title: 'Template', description: 'JSON whose texts hold {{ alert.value }} and the like.' }),
  })
  .refine(({ format, template }) => (format === 'template') === (template !== undefined), {
    path: ['template'],
    message: 'belongs with the format template, and the format with it',
  });

/** A signed JSON POST, as https://www.standardwebhooks.com describes. */
export const webhook = defineChannel({
  kind: 'webhook',
  label: 'Webhook',
  config,

  rotates: { field: 'secret', make: newWebhookSecret },

  render: (notification) => JSON.stringify(webhookBody(notification)),

  async deliver(frozen, given, outside, { deliveryId, nowMs }) {
    const body = bodyAs(given, frozen);
    const signed = signatureHeaders(deliveryId, nowMs, body, [given.secret].flat());
    const secrets = [...leaves([given.secret, given.headers]), ...signed['webhook-signature']!.split(' ')];
    return postJson(outside, { url: given.url, headers: { ...given.headers, ...signed }, body, secrets, nowMs });
  },
});
