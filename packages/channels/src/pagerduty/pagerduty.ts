import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { postJson } from '../post-json.ts';
import { pagerDutyEvent } from './pagerduty-event.ts';

// https://support.pagerduty.com/main/docs/service-regions
const HOSTS = { us: 'https://events.pagerduty.com', eu: 'https://events.eu.pagerduty.com' } as const;

/** PagerDuty's Events API v2: an alert is an incident, opened, acknowledged and resolved by its id. */
export const pagerduty = defineChannel({
  kind: 'pagerduty',
  perAlert: true,
  label: 'PagerDuty',
  hears: ['acknowledged'],
  config: z.strictObject({
    routingKey: z
      .string()
      .regex(/^[A-Za-z0-9]{32}$/, 'must be the 32 letters and digits of an integration key')
      .meta({ title: 'Integration key', description: 'Of an Events API v2 integration of the service.', secret: true }),
    region: z.enum(['us', 'eu']).default('us').meta({ title: 'Service region' }),
  }),

  render: (notification) => JSON.stringify(pagerDutyEvent(notification)),

  deliver: (body, { routingKey, region }, outside, { nowMs }) =>
    postJson(outside, {
      url: `${HOSTS[region]}/v2/enqueue`,
      body: JSON.stringify({ routing_key: routingKey, ...(JSON.parse(body) as object) }),
      secrets: [routingKey],
      nowMs,
    }),
});
