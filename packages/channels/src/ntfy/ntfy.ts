import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import { postJson } from '../post-json.ts';
import { ntfyMessage } from './ntfy-message.ts';

/** A push message by ntfy.sh or a server of one's own. */
export const ntfy = defineChannel({
  kind: 'ntfy',
  maxPerMinute: 30,
  label: 'ntfy',
  config: z.strictObject({
    serverUrl: outboundUrl.default('https://ntfy.sh').meta({ title: 'Server', outbound: true }),
    topic: z
      .string()
      .regex(/^[-_A-Za-z0-9]{1,64}$/, 'must be 1 to 64 letters, digits, dashes and underscores')
      .meta({ title: 'Topic', description: 'Who knows the topic of a public server can read it.', secret: true }),
    token: z
      .string()
      .regex(/^[!-~]{1,200}$/, 'must be printable ASCII')
      .nullish()
      .meta({ title: 'Access token', description: 'Where the topic is protected. null takes it away.', secret: true }),
  }),

  render: (notification) => JSON.stringify(ntfyMessage(notification)),

  // JSON is published at the root: https://docs.ntfy.sh/publish/#publish-as-json
  deliver: (body, { serverUrl, topic, token }, outside, { nowMs }) =>
    postJson(outside, {
      url: serverUrl,
      headers: token == null ? {} : { authorization: `Bearer ${token}` },
      body: JSON.stringify({ topic, ...(JSON.parse(body) as object) }),
      secrets: token == null ? [topic] : [topic, token],
      nowMs,
    }),
});
