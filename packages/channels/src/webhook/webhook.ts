import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import { leaves } from '../secrets.ts';
import { verdictOfAnswer, verdictOfFailure } from '../verdict.ts';
import { customHeaders } from './custom-headers.ts';
import { isWebhookSecret, newWebhookSecret, signatureHeaders } from './sign.ts';
import { webhookBody } from './webhook-body.ts';

const SECRETS_MAX = 5;
const secret = z.string().refine(isWebhookSecret, 'must be whsec_ followed by the base64 of 24 to 64 bytes');

/** A signed JSON POST, as https://www.standardwebhooks.com describes. */
export const webhook = defineChannel({
  kind: 'webhook',
  label: 'Webhook',
  config: z.strictObject({
    url: outboundUrl.meta({ outbound: true }),
    /** One made by us where none is given; several while they are exchanged. */
    secret: z
      .union([secret, z.array(secret).min(1).max(SECRETS_MAX)])
      .default(newWebhookSecret)
      .meta({ secret: true }),
    headers: customHeaders.default({}).meta({ secret: true }),
  }),

  rotates: { field: 'secret', make: newWebhookSecret },

  render: (notification) => JSON.stringify(webhookBody(notification)),

  async deliver(body, config, outside, { deliveryId, nowMs }) {
    const secrets = [config.secret].flat();
    const signed = signatureHeaders(deliveryId, nowMs, body, secrets);
    const headers = { 'user-agent': 'Tocsin', ...config.headers, 'content-type': 'application/json', ...signed };
    try {
      const answer = await outside.request({ url: config.url, method: 'POST', headers, body }, outside.signal);
      return verdictOfAnswer(answer, [...leaves([config.secret, config.headers]), ...signed['webhook-signature']!.split(' ')], nowMs);
    } catch (error) {
      return verdictOfFailure(error);
    }
  },
});
