import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import { postJson } from '../post-json.ts';
import { teamsMessage } from './adaptive-card.ts';

/** Microsoft Teams by a flow of Workflows. Its address is the credential. */
export const teams = defineChannel({
  kind: 'teams',
  maxPerMinute: 25,
  label: 'Microsoft Teams',
  config: z.strictObject({
    webhookUrl: outboundUrl.meta({
      title: 'Workflow URL',
      description: 'Of the flow “When a Teams webhook request is received”.',
      secret: true,
      outbound: true,
    }),
  }),

  render: (notification) => JSON.stringify(teamsMessage(notification)),

  deliver: (body, { webhookUrl }, outside, { nowMs }) => postJson(outside, { url: webhookUrl, body, secrets: [webhookUrl], nowMs }),
});
