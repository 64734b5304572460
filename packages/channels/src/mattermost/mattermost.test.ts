import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { allSaying, HOSTILE, LONG, saying } from '../../test/hostile.ts';
import { mattermost } from './mattermost.ts';
import { MATTERMOST_MAX, mattermostMessage } from './mattermost-message.ts';

const webhookUrl = 'https://chat.example/hooks/s3cret';
const sending = { deliveryId: 'd', alertId: null, nowMs: 0 };

test('renders a firing alert', () => {
  expect(mattermostMessage(aNotification())).toMatchInlineSnapshot(`
    {
      "attachments": [
        {
          "color": "#d92d20",
          "fallback": "🔴 Critical · Checkout latency: p95 latency is 2,480.25 ms (limit > 1,000 ms)",
          "fields": [
            {
              "short": false,
              "title": "Series",
              "value": "model=gpt\\-4o, operation=checkout",
            },
            {
              "short": true,
              "title": "Since",
              "value": "2026\\-03\\-01 12:00:00 UTC",
            },
            {
              "short": true,
              "title": "Window",
              "value": "5m, 412 samples",
            },
            {
              "short": true,
              "title": "Tenant",
              "value": "acme",
            },
          ],
          "footer": "Rule checkout-p95 · Checkout latency",
          "text": "**p95 latency is 2,480.25 ms \\(limit \\> 1,000 ms\\)**

    p95 is 2,480.25 ms on checkout

    [Open alert](<https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b>) · [Runbook](<https://runbooks.example/latency>)",
          "title": "🔴 Critical · Checkout latency",
          "title_link": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
        },
      ],
      "props": {
        "card": "**Series** model=gpt\\-4o, operation=checkout

    **Since** 2026\\-03\\-01 12:00:00 UTC

    **Window** 5m, 412 samples

    **Tenant** acme",
      },
    }
  `);
});

test('calls nobody and formats nothing, whatever is said', () => {
  const { attachments, props } = mattermostMessage(saying(HOSTILE));
  const [attachment] = attachments;
  for (const text of [
    attachment?.fallback,
    attachment?.title,
    attachment?.text,
    props.card,
    ...(attachment?.fields ?? []).map(({ value }) => value),
  ])
    expect(text).not.toMatch(/@(all|here|channel|everyone)/);
  for (const { value } of attachment?.fields ?? []) expect(value.replaceAll(/\\./g, '')).not.toMatch(/[*_~`[\]()]/);
});

test('goes to another channel where one is named', async () => {
  const outside = anOutside();
  const body = mattermost.render(aNotification());
  await mattermost.deliver(body, { webhookUrl }, outside, sending);
  await mattermost.deliver(body, { webhookUrl, channel: 'on-call' }, outside, sending);
  expect(outside.calls.map((call) => (JSON.parse(call.body) as { channel?: string }).channel)).toEqual([undefined, 'on-call']);
});

test('whatever is said fits', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text))
      expect(JSON.stringify(mattermostMessage(notification)).length).toBeLessThanOrEqual(2 * MATTERMOST_MAX);
});
