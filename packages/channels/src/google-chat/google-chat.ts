import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import { postJson } from '../post-json.ts';
import { chatMessage } from './chat-message.ts';

/** A Google Chat webhook. Its address is the credential. */
export const googleChat = defineChannel({
  kind: 'google-chat',
  maxPerMinute: 50,
  label: 'Google Chat',
  config: z.strictObject({
    webhookUrl: outboundUrl.meta({ title: 'Webhook URL', description: 'Of the space, Apps & integrations.', secret: true, outbound: true }),
  }),

  render: (notification) => JSON.stringify(chatMessage(notification)),

  deliver: (body, { webhookUrl }, outside, { nowMs }) => {
    const url = new URL(webhookUrl);
    // without it every message begins a thread of its own
    url.searchParams.set('messageReplyOption', 'REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD');
    return postJson(outside, { url: url.href, body, secrets: [webhookUrl, ...url.searchParams.values()], nowMs });
  },
});
