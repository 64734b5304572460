import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { allSaying, bytesOf, HOSTILE, LONG } from '../../test/hostile.ts';
import { ntfy } from './ntfy.ts';
import { NTFY_ACTIONS_MAX, NTFY_MAX_BYTES, ntfyMessage } from './ntfy-message.ts';

const sending = { deliveryId: 'd', alertId: null, nowMs: 0 };

test('renders a firing alert', () => {
  expect(ntfyMessage(aNotification())).toMatchInlineSnapshot(`
    {
      "actions": [
        {
          "action": "view",
          "label": "Open alert",
          "url": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
        },
        {
          "action": "view",
          "label": "Runbook",
          "url": "https://runbooks.example/latency",
        },
      ],
      "click": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
      "message": "p95 latency is 2,480.25 ms (limit > 1,000 ms)

    p95 is 2,480.25 ms on checkout

    Series: model=gpt-4o, operation=checkout
    Since: 2026-03-01 12:00:00 UTC
    Window: 5m, 412 samples
    Tenant: acme

    Rule checkout-p95 · Checkout latency",
      "priority": 5,
      "tags": [
        "red_circle",
      ],
      "title": "Critical · Checkout latency",
    }
  `);
});

test.each([
  ['critical', 5],
  ['error', 4],
  ['warning', 3],
  ['info', 2],
] as const)('%s has the priority %i', (severity, priority) => {
  expect(ntfyMessage(aNotification({ alert: { severity } })).priority).toBe(priority);
});

test('the end of a critical wakes nobody', () => {
  expect(ntfyMessage(aNotification({ kind: 'resolved' }))).toMatchObject({ priority: 3, tags: ['white_check_mark'] });
});

test('goes to the topic, with the token where there is one', async () => {
  const outside = anOutside();
  await ntfy.deliver(ntfy.render(aNotification()), { topic: 'acme-alerts', token: 'tk_abcdef' }, outside, sending);
  await ntfy.deliver(
    ntfy.render(aNotification()),
    { topic: 'acme-alerts', serverUrl: 'https://push.example', token: null },
    outside,
    sending,
  );
  expect(outside.calls.map(({ url, headers }) => [url, headers['authorization']])).toEqual([
    ['https://ntfy.sh', 'Bearer tk_abcdef'],
    ['https://push.example', undefined],
  ]);
  expect(JSON.parse(outside.calls[0]?.body ?? '')).toMatchObject({ topic: 'acme-alerts', title: 'Critical · Checkout latency' });
});

test('whatever is said fits, and stays a message', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text)) {
      const message = ntfyMessage(notification);
      expect(bytesOf(message.message)).toBeLessThanOrEqual(NTFY_MAX_BYTES);
      expect(bytesOf(message.title)).toBeLessThanOrEqual(250);
      expect(message.actions.length).toBeLessThanOrEqual(NTFY_ACTIONS_MAX);
    }
});

test.each([{ topic: '' }, { topic: 'a/b' }, { topic: 'x'.repeat(65) }, { topic: 'a', token: 'new\r\nline' }])('%j is refused', (wrong) => {
  expect(ntfy.config.safeParse(wrong).success).toBe(false);
});
