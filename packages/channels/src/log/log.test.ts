import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { allSaying, bytesOf, HOSTILE, LONG } from '../../test/hostile.ts';
import { log } from './log.ts';

const sending = { deliveryId: 'd', alertId: null, nowMs: 0 };

test('writes one structured line', async () => {
  const outside = anOutside();
  expect(await log.deliver(log.render(aNotification()), {}, outside, sending)).toMatchObject({ outcome: 'delivered' });
  expect(outside.logged).toMatchInlineSnapshot(`
    [
      {
        "fields": {
          "alertId": "01990000-0000-7000-8000-00000000000b",
          "labels": {
            "model": "gpt-4o",
            "operation": "checkout",
          },
          "operator": ">",
          "resolvedAt": null,
          "ruleId": "01990000-0000-7000-8000-00000000000c",
          "ruleKey": "checkout-p95",
          "samples": 412,
          "severity": "critical",
          "startedAt": "2026-03-01T12:00:00.000Z",
          "threshold": 1000,
          "told": "fired",
          "unit": "ms",
          "value": 2480.25,
        },
        "level": "error",
        "text": "alert: Critical · Checkout latency: p95 latency is 2,480.25 ms (limit > 1,000 ms)",
      },
    ]
  `);
});

test.each([
  ['fired', 'critical', 'error'],
  ['fired', 'error', 'error'],
  ['fired', 'warning', 'warn'],
  ['fired', 'info', 'warn'],
  ['resolved', 'critical', 'warn'],
  ['test', 'critical', 'warn'],
] as const)('%s of %s is written as %s', (kind, severity, level) => {
  expect(JSON.parse(log.render(aNotification({ kind, alert: { severity } })))).toMatchObject({ level });
});

test('a level that is not written is said to be so, and is nobody’s failure', async () => {
  const silent = { ...anOutside(), log: () => false };
  expect(await log.deliver(log.render(aNotification()), {}, silent, sending)).toMatchObject({ outcome: 'suppressed', reason: 'log_level' });
});

test('whatever is said is one line of bounded length', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text)) {
      const line = log.render(notification);
      expect((JSON.parse(line) as { text: string }).text).not.toMatch(/[\r\n\u0000]/);
      expect(bytesOf(line)).toBeLessThan(64 * 1_024);
    }
});
