import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import type { OutboundAnswer } from '../outside.ts';
import { outboundUrl } from '../outbound-url.ts';
import { jsonOf, postJson } from '../post-json.ts';
import { discordMessage } from './discord-message.ts';

/** A Discord webhook. Its address is the credential. */
export const discord = defineChannel({
  kind: 'discord',
  maxPerMinute: 25,
  label: 'Discord',
  config: z.strictObject({
    webhookUrl: outboundUrl.meta({
      title: 'Webhook URL',
      description: 'Of the channel’s settings, Integrations.',
      secret: true,
      outbound: true,
    }),
  }),

  render: (notification) => JSON.stringify(discordMessage(notification)),

  deliver: (body, { webhookUrl }, outside, { nowMs }) =>
    postJson(outside, { url: webhookUrl, body, secrets: [webhookUrl], nowMs, retryAfterOf }),
});

const Limited = z.object({ retry_after: z.number().nonnegative() });

/** Seconds, with fractions: https://discord.com/developers/docs/topics/rate-limits#exceeding-a-rate-limit */
function retryAfterOf({ body }: OutboundAnswer): number | null {
  const read = Limited.safeParse(jsonOf(body));
  return read.success ? Math.ceil(read.data.retry_after * 1_000) : null;
}
