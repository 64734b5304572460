import { describe, expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { truncate } from '../message/cut.ts';
import { mrkdwnWithin } from './escape.ts';
import { slackMessage } from './slack-message.ts';

test('renders a firing alert', () => {
  expect(slackMessage(aNotification())).toMatchInlineSnapshot(`
    {
      "blocks": [
        {
          "text": {
            "emoji": true,
            "text": "🔴 Critical · Checkout latency",
            "type": "plain_text",
          },
          "type": "header",
        },
        {
          "text": {
            "text": "*p95 latency is 2,480.25 ms (limit &gt; 1,000 ms)*",
            "type": "mrkdwn",
          },
          "type": "section",
        },
        {
          "text": {
            "text": "p95 is 2,480.25 ms on checkout",
            "type": "mrkdwn",
          },
          "type": "section",
        },
        {
          "fields": [
            {
              "text": "*Series*
    model=gpt-4o, operation=checkout",
              "type": "mrkdwn",
            },
            {
              "text": "*Since*
    <!date^1772366400^{date_short_pretty} {time_secs}|2026-03-01 12:00:00 UTC>",
              "type": "mrkdwn",
            },
            {
              "text": "*Window*
    5m, 412 samples",
              "type": "mrkdwn",
            },
            {
              "text": "*Tenant*
    acme",
              "type": "mrkdwn",
            },
          ],
          "type": "section",
        },
        {
          "text": {
            "text": "<https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b|Open alert>  ·  <https://runbooks.example/latency|Runbook>",
            "type": "mrkdwn",
          },
          "type": "section",
        },
        {
          "elements": [
            {
              "emoji": false,
              "text": "Rule checkout-p95 · Checkout latency",
              "type": "plain_text",
            },
          ],
          "type": "context",
        },
      ],
      "handle": [
        "acknowledge",
        "silence",
      ],
      "text": "🔴 Critical · Checkout latency: p95 latency is 2,480.25 ms (limit &gt; 1,000 ms)",
    }
  `);
});

test('renders a resolved one', () => {
  const alert = {
    status: 'resolved' as const,
    value: 0.004,
    unit: 'USD',
    metric: 'cost',
    aggregation: 'sum' as const,
    resolvedAt: '2026-03-01T12:11:00.000Z',
    labels: {},
    url: null,
  };
  expect(slackMessage(aNotification({ kind: 'resolved', alert, context: {} }))).toMatchInlineSnapshot(`
    {
      "blocks": [
        {
          "text": {
            "emoji": true,
            "text": "✅ Resolved · Checkout latency",
            "type": "plain_text",
          },
          "type": "header",
        },
        {
          "text": {
            "text": "*Lasted 11m · sum cost is 0.004 USD (limit &gt; $1,000.00)*",
            "type": "mrkdwn",
          },
          "type": "section",
        },
        {
          "fields": [
            {
              "text": "*Severity*
    Critical",
              "type": "mrkdwn",
            },
            {
              "text": "*Since*
    <!date^1772366400^{date_short_pretty} {time_secs}|2026-03-01 12:00:00 UTC>",
              "type": "mrkdwn",
            },
            {
              "text": "*Resolved*
    <!date^1772367060^{date_short_pretty} {time_secs}|2026-03-01 12:11:00 UTC>",
              "type": "mrkdwn",
            },
            {
              "text": "*Lasted*
    11m",
              "type": "mrkdwn",
            },
            {
              "text": "*Window*
    5m, 412 samples",
              "type": "mrkdwn",
            },
            {
              "text": "*Tenant*
    acme",
              "type": "mrkdwn",
            },
          ],
          "type": "section",
        },
        {
          "elements": [
            {
              "emoji": false,
              "text": "Rule checkout-p95 · Checkout latency",
              "type": "plain_text",
            },
          ],
          "type": "context",
        },
      ],
      "text": "✅ Resolved · Checkout latency: Lasted 11m · sum cost is 0.004 USD (limit &gt; $1,000.00)",
    }
  `);
});

test('says for how long nobody has had it', () => {
  const { text } = slackMessage(aNotification({ kind: 'unacknowledged', alert: { unacknowledgedFor: '10m' } }));
  expect(text).toContain('Unacknowledged for 10m · Critical · Checkout latency');
});

test('says so when there is no value', () => {
  expect(slackMessage(aNotification({ kind: 'no_data', alert: { value: null, samples: 0 } })).text).toBe(
    '⚪ No data · Checkout latency: p95 latency has no data (limit &gt; 1,000 ms)',
  );
});

describe('text of tenants', () => {
  const hostile = '<!channel> <!here> <@U123> <https://evil.example|https://bank.example> & ``` *b* </script>';
  const everywhere = aNotification({
    alert: { name: hostile, metric: hostile, unit: hostile, labels: { [hostile]: hostile }, url: `https://a.example/|<${hostile}>` },
    rule: { id: 'x', key: hostile, name: hostile },
    context: { summary: hostile, runbookUrl: 'javascript:alert(1)' },
  });

  test('never becomes a mention, a broadcast or a link', () => {
    const { blocks, text } = slackMessage(everywhere);
    const mrkdwn = [text, ...mrkdwnOf(blocks)];
    for (const line of mrkdwn) {
      const withoutOurs = line.replaceAll(/<!date\^\d+\^\{date_short_pretty\} \{time_secs\}\|[0-9: -]+UTC>/g, '');
      expect(withoutOurs).not.toMatch(/[<>]/);
      expect(withoutOurs).not.toMatch(/&(?!amp;|lt;|gt;)/);
    }
  });

  test('does not make its addresses links unless they are plain http(s)', () => {
    expect(JSON.stringify(slackMessage(everywhere))).not.toContain('javascript:');
  });

  test('stays within what Slack takes, however long it is', () => {
    const long = '<&>'.repeat(20_000);
    const labels = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`${index}${long}`, long]));
    const { blocks, text } = slackMessage(
      aNotification({ alert: { name: long, metric: long, labels }, rule: { id: 'x', key: long, name: long }, context: { summary: long } }),
    );
    expect(blocks.length).toBeLessThanOrEqual(50);
    expect(text.length).toBeLessThanOrEqual(4_000);
    for (const line of mrkdwnOf(blocks)) expect(line.length).toBeLessThanOrEqual(3_000);
    for (const block of blocks) {
      if (block.type === 'header') expect(block.text.text.length).toBeLessThanOrEqual(150);
      if (block.type === 'section') for (const { text: line } of block.fields ?? []) expect(line.length).toBeLessThanOrEqual(2_000);
    }
  });
});

test('cutting never splits a character or an entity', () => {
  expect(truncate('ab😀cd', 4)).toBe('ab…');
  expect(mrkdwnWithin('a<b', 5)).toBe('a…');
  expect(mrkdwnWithin('&&&', 8)).toBe('&amp;…');
  expect(mrkdwnWithin('short', 10)).toBe('short');
});

function mrkdwnOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('type' in value && value.type === 'mrkdwn' && 'text' in value) return [String(value.text)];
  return Object.values(value).flatMap(mrkdwnOf);
}
