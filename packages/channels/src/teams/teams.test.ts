import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { bytesOf, HOSTILE, KINDS, LONG, saying } from '../../test/hostile.ts';
import { escapeCard, TEAMS_MAX_BYTES, teamsMessage } from './adaptive-card.ts';

test('renders a firing alert', () => {
  expect(teamsMessage(aNotification())).toMatchInlineSnapshot(`
    {
      "attachments": [
        {
          "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "actions": [
              {
                "title": "Open alert",
                "type": "Action.OpenUrl",
                "url": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
              },
              {
                "title": "Runbook",
                "type": "Action.OpenUrl",
                "url": "https://runbooks.example/latency",
              },
            ],
            "body": [
              {
                "color": "attention",
                "size": "large",
                "text": "🔴 Critical · Checkout latency",
                "type": "TextBlock",
                "weight": "bolder",
                "wrap": true,
              },
              {
                "text": "p95 latency is 2,480.25 ms \\(limit > 1,000 ms\\)",
                "type": "TextBlock",
                "weight": "bolder",
                "wrap": true,
              },
              {
                "text": "p95 is 2,480.25 ms on checkout",
                "type": "TextBlock",
                "wrap": true,
              },
              {
                "facts": [
                  {
                    "title": "Series",
                    "value": "model=gpt-4o, operation=checkout",
                  },
                  {
                    "title": "Since",
                    "value": "2026-03-01 12:00:00 UTC",
                  },
                  {
                    "title": "Window",
                    "value": "5m, 412 samples",
                  },
                  {
                    "title": "Tenant",
                    "value": "acme",
                  },
                ],
                "type": "FactSet",
              },
              {
                "isSubtle": true,
                "size": "small",
                "text": "Rule checkout-p95 · Checkout latency",
                "type": "TextBlock",
                "wrap": true,
              },
            ],
            "msteams": {
              "width": "Full",
            },
            "type": "AdaptiveCard",
            "version": "1.4",
          },
          "contentType": "application/vnd.microsoft.card.adaptive",
        },
      ],
      "type": "message",
    }
  `);
});

test('formats nothing of what is said, and links nowhere', () => {
  expect(escapeCard('[bank](https://evil.example) **b** `c`\n- item\n1. one')).toBe(
    '\\[bank\\]\\(https://evil.example\\) \\*\\*b\\*\\* \\`c\\`\n\u200b- item\n\u200b1. one',
  );
  expect(JSON.stringify(teamsMessage(saying(HOSTILE)))).not.toMatch(/[^\\\\]\]\(https/);
});

test('whatever is said fits', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const kind of KINDS) expect(bytesOf(teamsMessage(saying(text, { kind })))).toBeLessThanOrEqual(TEAMS_MAX_BYTES);
});
