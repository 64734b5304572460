import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import { postJson } from '../post-json.ts';
import { mattermostMessage } from './mattermost-message.ts';

/** A Mattermost incoming webhook. Its address is the credential. */
export const mattermost = defineChannel({
  kind: 'mattermost',
  maxPerMinute: 30,
  label: 'Mattermost',
  config: z.strictObject({
    webhookUrl: outboundUrl.meta({ title: 'Webhook URL', description: 'Of an incoming webhook.', secret: true, outbound: true }),
    channel: z
      .string()
      .regex(/^@?[a-z0-9][a-z0-9._-]{0,63}$/, 'must be the name of a channel, or @ and a user')
      .optional()
      .meta({ title: 'Channel', description: 'In place of the webhook’s own.' }),
  }),

  render: (notification) => JSON.stringify(mattermostMessage(notification)),

  deliver: (body, { webhookUrl, channel }, outside, { nowMs }) =>
    postJson(outside, {
      url: webhookUrl,
      body: channel === undefined ? body : JSON.stringify({ channel, ...(JSON.parse(body) as object) }),
      secrets: [webhookUrl],
      nowMs,
    }),
});
