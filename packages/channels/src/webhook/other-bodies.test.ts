import type { Notification } from '@tocsin/domain';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test, vi } from 'vitest';
import { aGroup } from '../../test/a-group.ts';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { allSaying, HOSTILE, KINDS, LONG, saying } from '../../test/hostile.ts';
import { messageOf } from '../message/message-of.ts';
import { newWebhookSecret } from './sign.ts';
import { webhook } from './webhook.ts';

const NOW = Date.parse('2026-03-01T12:00:11.000Z');
const url = 'https://receiver.example/hook';
const secret = newWebhookSecret();
const sending = { deliveryId: '01990000-0000-7000-8000-00000000000d', alertId: null, nowMs: NOW };

async function sent(config: Record<string, unknown>, notification: Notification = aNotification()) {
  const outside = anOutside();
  await webhook.deliver(webhook.render(notification), { url, secret, ...config }, outside, sending);
  const [call] = outside.calls;
  if (call === undefined) throw new Error('nothing was sent');
  return { ...call, json: JSON.parse(call.body) as unknown };
}
const filled = async (template: unknown, notification?: Notification) => (await sent({ format: 'template', template }, notification)).json;

test.each(['alertmanager', 'template'])('the format %s has a body for every kind of message, in the words of its own', async (format) => {
  const template = format === 'template' ? '{{ sentence }} {{ title }}' : undefined;
  for (const kind of KINDS) {
    const { json } = await sent({ format, template }, saying('x', { kind }));
    const { word } = messageOf(saying('x', { kind }));
    if (template !== undefined) expect(json).toContain(` ${word} · `);
    else expect(json).toMatchObject({ version: '4', alerts: [{ labels: { alertname: 'x' } }] });
  }
});

describe('the body of Alertmanager', () => {
  test('says what its receivers read', async () => {
    expect((await sent({ format: 'alertmanager' })).json).toMatchInlineSnapshot(`
      {
        "alerts": [
          {
            "annotations": {
              "runbook_url": "https://runbooks.example/latency",
              "summary": "p95 is 2,480.25 ms on checkout",
              "value": "2480.25",
            },
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "9ba9836bda80a62d",
            "generatorURL": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
            "labels": {
              "alertname": "Checkout latency",
              "model": "gpt-4o",
              "operation": "checkout",
              "rule_key": "checkout-p95",
              "severity": "critical",
            },
            "startsAt": "2026-03-01T12:00:00.000Z",
            "status": "firing",
          },
        ],
        "commonAnnotations": {
          "runbook_url": "https://runbooks.example/latency",
          "summary": "p95 is 2,480.25 ms on checkout",
          "value": "2480.25",
        },
        "commonLabels": {
          "alertname": "Checkout latency",
          "model": "gpt-4o",
          "operation": "checkout",
          "rule_key": "checkout-p95",
          "severity": "critical",
        },
        "externalURL": "https://tocsin.example",
        "groupKey": "{}:{alert_id="01990000-0000-7000-8000-00000000000b"}",
        "groupLabels": {
          "alertname": "Checkout latency",
        },
        "receiver": "tocsin",
        "status": "firing",
        "truncatedAlerts": 0,
        "version": "4",
      }
    `);
  });

  test('says of several alerts how many it leaves out', async () => {
    expect((await sent({ format: 'alertmanager' }, aGroup())).json).toMatchObject({
      status: 'firing',
      truncatedAlerts: 13,
      alerts: [{ labels: { operation: 'worst' } }],
    });
  });

  test('ends an alert where it is over', async () => {
    const over = aNotification({ kind: 'resolved', alert: { status: 'resolved', resolvedAt: '2026-03-01T12:11:00.000Z' } });
    expect((await sent({ format: 'alertmanager' }, over)).json).toMatchObject({
      status: 'resolved',
      alerts: [{ status: 'resolved', endsAt: '2026-03-01T12:11:00.000Z' }],
    });
  });

  test('has the same fingerprint for the same labels, whatever else changes', async () => {
    const of = async (change: Partial<Notification['alert']>) =>
      ((await sent({ format: 'alertmanager' }, aNotification({ alert: change }))).json as { alerts: { fingerprint: string }[] }).alerts[0]
        ?.fingerprint;
    const first = await of({});
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    expect(await of({ value: 1, labels: { model: 'gpt-4o', operation: 'checkout' } })).toBe(first);
    expect(await of({ labels: { model: 'other' } })).not.toBe(first);
  });
});

describe('a template', () => {
  test('is filled in: names alone become what they are, in the midst of text they are text', async () => {
    const template = {
      text: '{{ title }}: {{alert.value}} {{ alert.unit }} on {{ alert.labels.operation }}',
      value: '{{ alert.value }}',
      resolvedAt: '{{ alert.resolvedAt }}',
      ended: 'ended {{ alert.resolvedAt }}.',
      nested: [{ id: '{{ id }}', rule: '{{ rule.key }}', runbook: '{{ context.runbookUrl }}', same: true, n: 1, none: null }],
    };
    expect(await filled(template)).toEqual({
      text: 'Critical · Checkout latency: 2480.25 ms on checkout',
      value: 2480.25,
      resolvedAt: null,
      ended: 'ended .',
      nested: [
        {
          id: '01990000-0000-7000-8000-00000000000d',
          rule: 'checkout-p95',
          runbook: 'https://runbooks.example/latency',
          same: true,
          n: 1,
          none: null,
        },
      ],
    });
  });

  test('is never read again: what is filled in is text', async () => {
    const notification = aNotification({ alert: { name: '{{ tenant.id }} ","evil":"' } });
    expect(await filled({ name: '{{ alert.name }}!' }, notification)).toEqual({ name: '{{ tenant.id }} ","evil":"!' });
  });

  test('comes out as JSON, whatever is said', async () => {
    const template = { a: '{{ text }}', b: ['{{ alert.name }}', '{{ sentence }}'], c: '{{ alert.peak }}' };
    for (const text of [HOSTILE, ...LONG])
      for (const notification of allSaying(text)) {
        const { a } = (await filled(template, notification)) as { a: string };
        expect(Buffer.byteLength(a)).toBeLessThanOrEqual(4_096);
      }
  });

  test('is signed as it is sent', async () => {
    vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
    try {
      const { headers, body } = await sent({ format: 'template', template: { t: '{{ title }}' } });
      expect(new Webhook(secret).verify(body, headers)).toEqual({ t: 'Critical · Checkout latency' });
    } finally {
      vi.useRealTimers();
    }
  });

  const nested = (depth: number): unknown => (depth === 0 ? 'x' : [nested(depth - 1)]);
  test.each<[string, Record<string, unknown>]>([
    ['a name no message has', { format: 'template', template: { a: '{{ alert.vlaue }}' } }],
    ['a name of something that is no text', { format: 'template', template: { a: '{{ alert.labels }}' } }],
    ['one without the format', { template: {} }],
    ['the format without one', { format: 'template' }],
    ['one beside another format', { format: 'alertmanager', template: {} }],
    ['one that is too long', { format: 'template', template: 'x'.repeat(16_384) }],
    ['one that is too deep', { format: 'template', template: nested(17) }],
    ['an unknown format', { format: 'xml' }],
  ])('%s is refused', (_title, config) => {
    expect(webhook.config.safeParse({ url, secret, ...config }).success).toBe(false);
  });
});
