import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { allSaying, HOSTILE, LONG, saying } from '../../test/hostile.ts';
import { discord } from './discord.ts';
import { DISCORD_MAX, discordMessage } from './discord-message.ts';

test('renders a firing alert', () => {
  expect(discordMessage(aNotification())).toMatchInlineSnapshot(`
    {
      "allowed_mentions": {
        "parse": [],
      },
      "embeds": [
        {
          "color": 14232864,
          "description": "p95 latency is 2,480.25 ms \\(limit \\> 1,000 ms\\)

    p95 is 2,480.25 ms on checkout",
          "fields": [
            {
              "inline": false,
              "name": "Series",
              "value": "model=gpt\\-4o, operation=checkout",
            },
            {
              "inline": true,
              "name": "Since",
              "value": "2026\\-03\\-01 12:00:00 UTC",
            },
            {
              "inline": true,
              "name": "Window",
              "value": "5m, 412 samples",
            },
            {
              "inline": true,
              "name": "Tenant",
              "value": "acme",
            },
            {
              "inline": false,
              "name": "Links",
              "value": "[Open alert](<https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b>) · [Runbook](<https://runbooks.example/latency>)",
            },
          ],
          "footer": {
            "text": "Rule checkout-p95 · Checkout latency",
          },
          "timestamp": "2026-03-01T12:00:10.000Z",
          "title": "🔴 Critical · Checkout latency",
          "url": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
        },
      ],
    }
  `);
});

test('calls nobody and formats nothing, whatever is said', () => {
  const message = discordMessage(saying(HOSTILE));
  expect(message.allowed_mentions).toEqual({ parse: [] });
  const [embed] = message.embeds;
  for (const text of [
    embed?.title ?? '',
    embed?.description ?? '',
    ...(embed?.fields ?? []).filter(({ name }) => name !== 'Links').map(({ value }) => value),
  ])
    expect(text.replaceAll(/\\./g, '')).not.toMatch(/[*_~`<[\]()@]/);
});

test('whatever is said fits', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text)) {
      const [embed] = discordMessage(notification).embeds;
      if (embed === undefined) throw new Error('no embed');
      expect(embed.title.length).toBeLessThanOrEqual(DISCORD_MAX.title);
      expect(embed.description.length).toBeLessThanOrEqual(DISCORD_MAX.description);
      expect(embed.footer.text.length).toBeLessThanOrEqual(DISCORD_MAX.footer);
      expect(embed.fields.length).toBeLessThanOrEqual(DISCORD_MAX.fields);
      let all = embed.title.length + embed.description.length + embed.footer.text.length;
      for (const { name, value } of embed.fields) {
        expect(name.length).toBeLessThanOrEqual(DISCORD_MAX.fieldName);
        expect(value.length).toBeLessThanOrEqual(DISCORD_MAX.fieldValue);
        expect(value).not.toBe('');
        all += name.length + value.length;
      }
      expect(all).toBeLessThanOrEqual(DISCORD_MAX.all);
    }
});

test('waits as long as the body says where no header does', async () => {
  const config = { webhookUrl: 'https://discord.example/api/webhooks/1/s3cret' };
  const deliver = (answer: { headers?: Record<string, string>; body: string }) =>
    discord.deliver('{}', config, anOutside({ status: 429, ...answer }), { deliveryId: 'd', alertId: null, nowMs: 0 });
  expect(await deliver({ body: '{"retry_after": 0.65, "global": false}' })).toMatchObject({ outcome: 'retry', retryAfterMs: 650 });
  expect(await deliver({ body: '{"retry_after": 9}', headers: { 'retry-after': '3' } })).toMatchObject({ retryAfterMs: 3_000 });
  for (const body of ['nothing', '{"retry_after": -1}', '{"retry_after": "soon"}', 'null'])
    expect(await deliver({ body })).toMatchObject({ outcome: 'retry', retryAfterMs: null });
});
