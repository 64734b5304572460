import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import { postJson } from '../post-json.ts';
import { OpsgenieCall, opsgenieCall } from './opsgenie-alert.ts';

/** Opsgenie's alert API, and whatever speaks it. */
export const opsgenie = defineChannel({
  kind: 'opsgenie',
  perAlert: true,
  label: 'Opsgenie',
  hears: ['acknowledged'],
  config: z.strictObject({
    apiKey: z
      .string()
      .regex(/^[!-~]{8,200}$/, 'must be printable ASCII')
      .meta({ title: 'API key', description: 'Of an API integration.', secret: true }),
    apiUrl: outboundUrl
      .default('https://api.opsgenie.com')
      .meta({ title: 'API address', description: 'https://api.eu.opsgenie.com in the EU, or what speaks the same API.', outbound: true }),
    team: z.string().min(1).max(100).optional().meta({ title: 'Team', description: 'Who is to respond; else as the integration says.' }),
  }),

  render: (notification) => JSON.stringify(opsgenieCall(notification)),

  deliver: (frozen, { apiKey, apiUrl, team }, outside, { nowMs }) => {
    const { action, alias, body } = OpsgenieCall.parse(JSON.parse(frozen));
    const path = action === 'create' ? '' : `/${encodeURIComponent(alias)}/${action}?identifierType=alias`;
    const responders = action === 'create' && team !== undefined ? { responders: [{ type: 'team', name: team }] } : {};
    return postJson(outside, {
      url: `${apiUrl.replace(/\/+$/, '')}/v2/alerts${path}`,
      headers: { authorization: `GenieKey ${apiKey}` },
      body: JSON.stringify({ ...body, ...responders }),
      secrets: [apiKey],
      nowMs,
    });
  },
});
