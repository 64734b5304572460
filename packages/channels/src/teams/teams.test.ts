import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { allSaying, bytesOf, HOSTILE, LONG, saying } from '../../test/hostile.ts';
import { TEAMS_MAX_BYTES, teamsMessage } from './adaptive-card.ts';

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
                "inlines": [
                  {
                    "color": "attention",
                    "size": "large",
                    "text": "🔴 Critical · Checkout latency",
                    "type": "TextRun",
                    "weight": "bolder",
                  },
                ],
                "type": "RichTextBlock",
              },
              {
                "inlines": [
                  {
                    "text": "p95 latency is 2,480.25 ms (limit > 1,000 ms)",
                    "type": "TextRun",
                    "weight": "bolder",
                  },
                ],
                "type": "RichTextBlock",
              },
              {
                "inlines": [
                  {
                    "text": "p95 is 2,480.25 ms on checkout",
                    "type": "TextRun",
                  },
                ],
                "type": "RichTextBlock",
              },
              {
                "inlines": [
                  {
                    "isSubtle": true,
                    "text": "Series  ",
                    "type": "TextRun",
                  },
                  {
                    "text": "model=gpt-4o, operation=checkout",
                    "type": "TextRun",
                  },
                ],
                "spacing": "small",
                "type": "RichTextBlock",
              },
              {
                "inlines": [
                  {
                    "isSubtle": true,
                    "text": "Since  ",
                    "type": "TextRun",
                  },
                  {
                    "text": "2026-03-01 12:00:00 UTC",
                    "type": "TextRun",
                  },
                ],
                "spacing": "small",
                "type": "RichTextBlock",
              },
              {
                "inlines": [
                  {
                    "isSubtle": true,
                    "text": "Window  ",
                    "type": "TextRun",
                  },
                  {
                    "text": "5m, 412 samples",
                    "type": "TextRun",
                  },
                ],
                "spacing": "small",
                "type": "RichTextBlock",
              },
              {
                "inlines": [
                  {
                    "isSubtle": true,
                    "text": "Tenant  ",
                    "type": "TextRun",
                  },
                  {
                    "text": "acme",
                    "type": "TextRun",
                  },
                ],
                "spacing": "small",
                "type": "RichTextBlock",
              },
              {
                "inlines": [
                  {
                    "isSubtle": true,
                    "size": "small",
                    "text": "Rule checkout-p95 · Checkout latency",
                    "type": "TextRun",
                  },
                ],
                "type": "RichTextBlock",
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

test('formats nothing of what is said: it stands where no Markdown is read', () => {
  const content = teamsMessage(saying(HOSTILE)).attachments[0]?.content ?? {};
  const elements = (content['body'] as { type: string; inlines: { type: string }[] }[]).map(({ type, inlines }) => [
    type,
    ...inlines.map((inline) => inline.type),
  ]);
  for (const [type, ...inlines] of elements) expect([type, new Set(inlines)]).toEqual(['RichTextBlock', new Set(['TextRun'])]);
  expect(Object.keys(content['msteams'] as object)).toEqual(['width']);
});

test('whatever is said fits', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text)) expect(bytesOf(teamsMessage(notification))).toBeLessThanOrEqual(TEAMS_MAX_BYTES);
});
