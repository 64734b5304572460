import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { allSaying, bytesOf, HOSTILE, LONG } from '../../test/hostile.ts';
import { pagerduty } from './pagerduty.ts';
import { PAGERDUTY_MAX, pagerDutyEvent } from './pagerduty-event.ts';

const routingKey = 'a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6';
const sending = { deliveryId: 'd-1', alertId: 'a-1', nowMs: 0 };

test('renders a firing alert, without the key', () => {
  expect(pagerDutyEvent(aNotification())).toMatchInlineSnapshot(`
    {
      "client": "Tocsin",
      "client_url": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
      "dedup_key": "01990000-0000-7000-8000-00000000000b",
      "event_action": "trigger",
      "links": [
        {
          "href": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
          "text": "Open alert",
        },
        {
          "href": "https://runbooks.example/latency",
          "text": "Runbook",
        },
      ],
      "payload": {
        "class": "latency_high",
        "component": "checkout-p95",
        "custom_details": {
          "labels": {
            "model": "gpt-4o",
            "operation": "checkout",
          },
          "rule": "Checkout latency",
          "since": "2026-03-01 12:00:00 UTC",
          "summary": "p95 is 2,480.25 ms on checkout",
          "tenant": "acme",
          "window": "5m, 412 samples",
        },
        "severity": "critical",
        "source": "checkout",
        "summary": "Critical · Checkout latency: p95 latency is 2,480.25 ms (limit > 1,000 ms)",
        "timestamp": "2026-03-01T12:00:10.000Z",
      },
    }
  `);
});

test.each([
  ['fired', 'trigger'],
  ['escalated', 'trigger'],
  ['reminded', 'trigger'],
  ['no_data', 'trigger'],
  ['unsilenced', 'trigger'],
  ['acknowledged', 'acknowledge'],
  ['resolved', 'resolve'],
] as const)('%s is a %s of the same incident', (kind, action) => {
  expect(pagerDutyEvent(aNotification({ kind }))).toMatchObject({ event_action: action, dedup_key: aNotification().alert.id });
});

test.each(['undelivered', 'channel_failing'] as const)(
  '%s opens an incident of an alert that is on, and none of one that is over',
  (kind) => {
    const over = { status: 'resolved' as const, resolvedAt: '2026-03-01T12:11:00.000Z' };
    const actionOf = (alert: object) => pagerDutyEvent(aNotification({ kind, alert }));
    expect([actionOf({}), actionOf(over)]).toMatchObject([
      { event_action: 'trigger', dedup_key: aNotification().alert.id },
      { event_action: 'resolve', dedup_key: aNotification().alert.id },
    ]);
  },
);

test('a test is an incident of its own', () => {
  expect(pagerDutyEvent(aNotification({ kind: 'test' })).dedup_key).toBe(aNotification().deliveryId);
});

test.each(['critical', 'error', 'warning', 'info'] as const)('%s is a severity there too', (severity) => {
  expect(pagerDutyEvent(aNotification({ alert: { severity } })).payload.severity).toBe(severity);
});

test.each([
  [undefined, 'https://events.pagerduty.com/v2/enqueue'],
  ['eu', 'https://events.eu.pagerduty.com/v2/enqueue'],
])('the region %s is called at %s, with the key in the body alone', async (region, url) => {
  const outside = anOutside({ status: 202 });
  await pagerduty.deliver(pagerduty.render(aNotification()), { routingKey, region }, outside, sending);
  expect(outside.calls).toMatchObject([{ url }]);
  expect(JSON.parse(outside.calls[0]?.body ?? '')).toMatchObject({ routing_key: routingKey, event_action: 'trigger' });
  expect(JSON.stringify(outside.calls[0]?.headers)).not.toContain(routingKey);
});

test('whatever is said fits, so that it is never refused for its size', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text)) {
      const event = pagerDutyEvent(notification);
      expect(event.dedup_key.length).toBeLessThanOrEqual(PAGERDUTY_MAX.dedupKey);
      expect(event.payload.summary.length).toBeLessThanOrEqual(PAGERDUTY_MAX.summary);
      expect(bytesOf(event)).toBeLessThan(PAGERDUTY_MAX.bytes / 2);
    }
  const alert = { id: 'x'.repeat(300) };
  expect(pagerDutyEvent(aNotification({ alert })).dedup_key).toHaveLength(PAGERDUTY_MAX.dedupKey);
});

test.each(['', 'short', 'a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d!', `${routingKey}0`])('the key %j is refused', (key) => {
  expect(pagerduty.config.safeParse({ routingKey: key }).success).toBe(false);
});
