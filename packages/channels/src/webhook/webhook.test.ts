import { CONNECTION_HEADERS } from '@tocsin/domain';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test, vi } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { newWebhookSecret } from './sign.ts';
import { webhook } from './webhook.ts';

const NOW = Date.parse('2026-03-01T12:00:11.000Z');
const url = 'https://receiver.example/hook';
const sending = { deliveryId: '01990000-0000-7000-8000-00000000000d', alertId: null, nowMs: NOW };

async function sent(config: Record<string, unknown>) {
  const outside = anOutside();
  const body = webhook.render(aNotification());
  await webhook.deliver(body, config, outside, sending);
  const [call] = outside.calls;
  if (call === undefined) throw new Error('nothing was sent');
  return call;
}

test('renders the body receivers know', () => {
  expect(JSON.parse(webhook.render(aNotification()))).toMatchInlineSnapshot(`
    {
      "data": {
        "alert": {
          "aggregation": "p95",
          "alertType": "latency_high",
          "cause": "threshold",
          "id": "01990000-0000-7000-8000-00000000000b",
          "labels": {
            "model": "gpt-4o",
            "operation": "checkout",
          },
          "metric": "latency",
          "name": "Checkout latency",
          "operator": ">",
          "resolvedAt": null,
          "samples": 412,
          "severity": "critical",
          "startedAt": "2026-03-01T12:00:00.000Z",
          "status": "triggered",
          "threshold": 1000,
          "unit": "ms",
          "url": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
          "value": 2480.25,
          "window": "5m",
        },
        "context": {
          "runbookUrl": "https://runbooks.example/latency",
          "summary": "p95 is 2,480.25 ms on checkout",
        },
        "rule": {
          "id": "01990000-0000-7000-8000-00000000000c",
          "key": "checkout-p95",
          "name": "Checkout latency",
        },
      },
      "id": "01990000-0000-7000-8000-00000000000d",
      "tenant": {
        "externalKey": "acme",
        "id": "01990000-0000-7000-8000-00000000000a",
      },
      "timestamp": "2026-03-01T12:00:10.000Z",
      "type": "alert.fired",
    }
  `);
});

test('names each kind of message', () => {
  const types = (['fired', 'escalated', 'reminded', 'unacknowledged', 'resolved', 'no_data', 'test'] as const).map(
    (kind) => JSON.parse(webhook.render(aNotification({ kind }))).type,
  );
  expect(types).toEqual([
    'alert.fired',
    'alert.escalated',
    'alert.reminded',
    'alert.unacknowledged',
    'alert.resolved',
    'alert.no_data',
    'test',
  ]);
});

describe('signature', () => {
  test('verifies with the public library of Standard Webhooks', async () => {
    vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
    try {
      const secret = newWebhookSecret();
      const { headers, body } = await sent({ url, secret });
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ id: sending.deliveryId, type: 'alert.fired' });
      expect(headers['webhook-id']).toBe(sending.deliveryId);
      expect(headers['webhook-timestamp']).toBe(String(Math.floor(NOW / 1_000)));
      expect(() => new Webhook(newWebhookSecret()).verify(body, headers)).toThrow();
      expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
      expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'other' })).toThrow();
    } finally {
      vi.useRealTimers();
    }
  });

  test('carries one signature per secret, so that either verifies while they are exchanged', async () => {
    vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
    try {
      const secrets = [newWebhookSecret(), newWebhookSecret()];
      const { headers, body } = await sent({ url, secret: secrets });
      expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
      for (const secret of secrets) expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
    } finally {
      vi.useRealTimers();
    }
  });

  test('a channel made without a secret gets one of its own', () => {
    const [one, other] = [webhook.config.parse({ url }), webhook.config.parse({ url })];
    expect(one['secret']).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    expect(one['secret']).not.toBe(other['secret']);
  });

  test.each([
    'hunter2',
    'whsec_',
    'whsec_c2hvcnQ=',
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    'whsec_not base64 at all not base64 at',
    ['whsec_x'],
  ])('the secret %j is refused', (secret) => {
    expect(webhook.config.safeParse({ url, secret }).success).toBe(false);
  });
});

describe('custom headers', () => {
  test('are sent beside ours, under lower-case names', async () => {
    const { headers } = await sent({ url, secret: newWebhookSecret(), headers: { 'X-Team': 'payments', Authorization: 'Basic dTpw' } });
    expect(headers).toMatchObject({ 'x-team': 'payments', authorization: 'Basic dTpw', 'content-type': 'application/json' });
  });

  test.each([
    'Host',
    'Content-Length',
    'content-type',
    'Connection',
    'Transfer-Encoding',
    'TE',
    'Upgrade',
    'Expect',
    'Cookie',
    'Proxy-Authorization',
    'Accept-Encoding',
    'webhook-id',
    'Webhook-Signature',
    'WEBHOOK-ANYTHING',
    'with space',
    'new\r\nline',
    'ünicode',
    '',
    ':authority',
    ' __PROTO__ ',
    ...CONNECTION_HEADERS,
  ])('the name %j is refused', (name) => {
    expect(webhook.config.safeParse({ url, headers: { [name]: 'x' } }).success).toBe(false);
  });

  test.each(['a\r\nX-Injected: 1', 'a\nb', 'a\u0000b', ' padded', 'padded ', '', 'ü', 'x'.repeat(1_025)])(
    'the value %j is refused',
    (value) => {
      expect(webhook.config.safeParse({ url, headers: { 'x-team': value } }).success).toBe(false);
    },
  );

  test('one that is named twice is refused, in whatever spelling', () => {
    expect(webhook.config.safeParse({ url, headers: { 'X-Team': 'a', 'x-team ': 'b' } }).success).toBe(false);
  });

  test('twenty-one are refused', () => {
    const headers = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, 'v']));
    expect(webhook.config.safeParse({ url, headers }).success).toBe(false);
  });
});

test.each(['ftp://a.example/', 'javascript:alert(1)', 'not a url', '', `https://a.example/${'x'.repeat(2_048)}`])(
  'the address %j is refused',
  (bad) => {
    expect(webhook.config.safeParse({ url: bad }).success).toBe(false);
  },
);
