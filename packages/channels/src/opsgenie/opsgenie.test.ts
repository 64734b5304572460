import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { allSaying, HOSTILE, LONG } from '../../test/hostile.ts';
import { opsgenie } from './opsgenie.ts';
import { OPSGENIE_MAX, opsgenieCall } from './opsgenie-alert.ts';

const apiKey = 'eb243592-faa2-4ba2-a551-1afdf565c889';
const sending = { deliveryId: 'd', alertId: null, nowMs: 0 };

test('renders a firing alert', () => {
  expect(opsgenieCall(aNotification())).toMatchInlineSnapshot(`
    {
      "action": "create",
      "alias": "01990000-0000-7000-8000-00000000000b",
      "body": {
        "alias": "01990000-0000-7000-8000-00000000000b",
        "description": "p95 latency is 2,480.25 ms (limit > 1,000 ms)

    p95 is 2,480.25 ms on checkout

    Series: model=gpt-4o, operation=checkout
    Since: 2026-03-01 12:00:00 UTC
    Window: 5m, 412 samples
    Tenant: acme

    Open alert: https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b
    Runbook: https://runbooks.example/latency

    Rule checkout-p95 · Checkout latency",
        "details": {
          "model": "gpt-4o",
          "operation": "checkout",
          "rule": "Checkout latency",
          "tenant": "acme",
        },
        "entity": "checkout-p95",
        "message": "Critical · Checkout latency",
        "priority": "P1",
        "source": "Tocsin",
        "tags": [
          "critical",
          "latency_high",
        ],
      },
    }
  `);
});

test('opens an alert by the id of ours, and closes it by the same', async () => {
  const outside = anOutside({ status: 202 });
  await opsgenie.deliver(opsgenie.render(aNotification()), { apiKey, team: 'payments' }, outside, sending);
  await opsgenie.deliver(
    opsgenie.render(aNotification({ kind: 'resolved' })),
    { apiKey, team: 'payments', apiUrl: 'https://api.eu.opsgenie.com/' },
    outside,
    sending,
  );
  const { id } = aNotification().alert;
  expect(outside.calls.map(({ url }) => url)).toEqual([
    'https://api.opsgenie.com/v2/alerts',
    `https://api.eu.opsgenie.com/v2/alerts/${id}/close?identifierType=alias`,
  ]);
  expect(outside.calls[0]?.headers['authorization']).toBe(`GenieKey ${apiKey}`);
  expect(JSON.parse(outside.calls[0]?.body ?? '')).toMatchObject({
    alias: id,
    priority: 'P1',
    responders: [{ type: 'team', name: 'payments' }],
  });
  expect(JSON.parse(outside.calls[1]?.body ?? '')).toEqual({ source: 'Tocsin', note: 'p95 latency is 2,480.25 ms (limit > 1,000 ms)' });
});

test('is acknowledged by the same', async () => {
  const outside = anOutside({ status: 202 });
  const notification = aNotification({ kind: 'acknowledged', alert: { status: 'acknowledged', acknowledgedBy: 'ann' } });
  await opsgenie.deliver(opsgenie.render(notification), { apiKey }, outside, sending);
  expect(outside.calls[0]?.url).toBe(`https://api.opsgenie.com/v2/alerts/${notification.alert.id}/acknowledge?identifierType=alias`);
  expect(JSON.parse(outside.calls[0]?.body ?? '')).toMatchObject({ note: expect.stringContaining('Acknowledged by ann') });
});

test.each(['undelivered', 'channel_failing'] as const)('%s creates an alert of one that is on, and none of one that is over', (kind) => {
  const over = { status: 'resolved' as const, resolvedAt: '2026-03-01T12:11:00.000Z' };
  const callOf = (alert: object) => opsgenieCall(aNotification({ kind, alert }));
  expect([callOf({}), callOf(over)]).toMatchObject([
    { action: 'create', alias: aNotification().alert.id },
    { action: 'close', alias: aNotification().alert.id },
  ]);
});

test.each([
  ['critical', 'P1'],
  ['error', 'P2'],
  ['warning', 'P3'],
  ['info', 'P5'],
] as const)('%s is %s', (severity, priority) => {
  expect(opsgenieCall(aNotification({ alert: { severity } })).body).toMatchObject({ priority });
});

test('whatever is said fits', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text)) {
      const { alias, body } = opsgenieCall(notification);
      const lengthOf = (field: string): number => JSON.stringify(body[field] ?? '').replaceAll(/\\(.)/g, '$1').length - 2;
      expect(alias.length).toBeLessThanOrEqual(OPSGENIE_MAX.alias);
      expect(lengthOf('message')).toBeLessThanOrEqual(OPSGENIE_MAX.message);
      expect(lengthOf('description')).toBeLessThanOrEqual(OPSGENIE_MAX.description);
      expect(lengthOf('note')).toBeLessThanOrEqual(OPSGENIE_MAX.note);
      expect(lengthOf('entity')).toBeLessThanOrEqual(OPSGENIE_MAX.entity);
      expect(lengthOf('source')).toBeLessThanOrEqual(OPSGENIE_MAX.source);
      const details = Object.entries((body['details'] ?? {}) as Record<string, string>);
      expect(details.reduce((sum, [name, value]) => sum + name.length + value.length, 0)).toBeLessThanOrEqual(OPSGENIE_MAX.details);
      const tags = (body['tags'] ?? []) as string[];
      expect(tags.length).toBeLessThanOrEqual(OPSGENIE_MAX.tags);
      for (const tag of tags) expect(tag.length).toBeLessThanOrEqual(OPSGENIE_MAX.tag);
    }
});
