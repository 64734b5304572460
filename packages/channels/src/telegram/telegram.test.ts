import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside, doorError } from '../../test/an-outside.ts';
import { allSaying, HOSTILE, LONG, saying } from '../../test/hostile.ts';
import { telegram } from './telegram.ts';
import { TELEGRAM_MAX, telegramMessage } from './telegram-message.ts';

const botToken = '123456789:AAE-s3cret_token_of_thirty_five_ch';
const config = { botToken, chatId: '-1001234567890' };
const sending = { deliveryId: 'd', alertId: null, nowMs: 0 };

test('renders a firing alert', () => {
  expect(telegramMessage(aNotification())).toMatchInlineSnapshot(`
    {
      "link_preview_options": {
        "is_disabled": true,
      },
      "parse_mode": "HTML",
      "text": "<b>🔴 Critical · Checkout latency</b>
    p95 latency is 2,480.25 ms (limit &gt; 1,000 ms)

    p95 is 2,480.25 ms on checkout

    <b>Series</b> model=gpt-4o, operation=checkout
    <b>Since</b> 2026-03-01 12:00:00 UTC
    <b>Window</b> 5m, 412 samples
    <b>Tenant</b> acme

    <i>Rule checkout-p95 · Checkout latency</i>

    <a href="https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b">Open alert</a> · <a href="https://runbooks.example/latency">Runbook</a>",
    }
  `);
});

test('has no tags but ours, whatever is said', () => {
  const tagsOf = (text: string) => [...new Set([...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/"https:[^"]*"/, '""')))].sort();
  const ours = tagsOf(telegramMessage(aNotification()).text);
  expect(ours).toEqual(['</a>', '</b>', '</i>', '<a href="">', '<b>', '<i>']);
  for (const text of [HOSTILE, ...LONG]) {
    const { text: said } = telegramMessage(saying(text));
    expect(ours).toEqual(expect.arrayContaining(tagsOf(said)));
    expect(said).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/);
    for (const tag of ['a', 'b', 'i']) expect(said.split(`<${tag}`).length).toBe(said.split(`</${tag}>`).length);
  }
});

test('whatever is said fits', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text)) expect(telegramMessage(notification).text.length).toBeLessThanOrEqual(TELEGRAM_MAX);
});

test('goes to the chat, and its topic', async () => {
  const outside = anOutside();
  await telegram.deliver(telegram.render(aNotification()), { ...config, topicId: 7 }, outside, sending);
  expect(outside.calls).toMatchObject([{ url: `https://api.telegram.org/bot${botToken}/sendMessage` }]);
  expect(JSON.parse(outside.calls[0]?.body ?? '')).toMatchObject({ chat_id: '-1001234567890', message_thread_id: 7, parse_mode: 'HTML' });
});

test('waits as long as it is asked to in the body', async () => {
  const limited = anOutside({ status: 429, body: '{"ok":false,"error_code":429,"parameters":{"retry_after":35}}' });
  expect(await telegram.deliver('{}', config, limited, sending)).toMatchObject({ outcome: 'retry', retryAfterMs: 35_000 });
});

test('the token, which is in the path, is in nothing that is kept', async () => {
  for (const outside of [
    anOutside({ status: 404, body: `no method at /bot${botToken}/sendMessage` }),
    anOutside(new Error(`connect https://api.telegram.org/bot${botToken}/`)),
    anOutside(doorError('redirect', 302)),
  ])
    expect(JSON.stringify(await telegram.deliver('{}', config, outside, sending))).not.toMatch(/123456789:|AAE-s3cret/);
});

test.each([
  { ...config, botToken: 'nonsense' },
  { ...config, botToken: `${botToken}/../x` },
  { ...config, chatId: 'a b' },
  { ...config, chatId: '' },
  { ...config, apiUrl: 'ftp://a.example' },
])('%j is refused', (wrong) => expect(telegram.config.safeParse(wrong).success).toBe(false));
