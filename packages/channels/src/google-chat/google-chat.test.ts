import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { allSaying, bytesOf, HOSTILE, LONG, saying } from '../../test/hostile.ts';
import { chatMessage, GOOGLE_CHAT_MAX_BYTES, THREAD_KEY_MAX } from './chat-message.ts';
import { googleChat } from './google-chat.ts';

test('renders a firing alert', () => {
  expect(chatMessage(aNotification())).toMatchInlineSnapshot(`
    {
      "cardsV2": [
        {
          "card": {
            "header": {
              "subtitle": "Rule checkout-p95 · Checkout latency",
              "title": "🔴 Critical · Checkout latency",
            },
            "sections": [
              {
                "widgets": [
                  {
                    "textParagraph": {
                      "text": "<b>p95 latency is 2,480.25 ms (limit &gt; 1,000 ms)</b>",
                    },
                  },
                  {
                    "textParagraph": {
                      "text": "p95 is 2,480.25 ms on checkout",
                    },
                  },
                  {
                    "decoratedText": {
                      "text": "model=gpt-4o, operation=checkout",
                      "topLabel": "Series",
                      "wrapText": true,
                    },
                  },
                  {
                    "decoratedText": {
                      "text": "2026-03-01 12:00:00 UTC",
                      "topLabel": "Since",
                      "wrapText": true,
                    },
                  },
                  {
                    "decoratedText": {
                      "text": "5m, 412 samples",
                      "topLabel": "Window",
                      "wrapText": true,
                    },
                  },
                  {
                    "decoratedText": {
                      "text": "acme",
                      "topLabel": "Tenant",
                      "wrapText": true,
                    },
                  },
                  {
                    "buttonList": {
                      "buttons": [
                        {
                          "onClick": {
                            "openLink": {
                              "url": "https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b",
                            },
                          },
                          "text": "Open alert",
                        },
                        {
                          "onClick": {
                            "openLink": {
                              "url": "https://runbooks.example/latency",
                            },
                          },
                          "text": "Runbook",
                        },
                      ],
                    },
                  },
                ],
              },
            ],
          },
          "cardId": "alert",
        },
      ],
      "fallbackText": "🔴 Critical · Checkout latency: p95 latency is 2,480.25 ms (limit › 1,000 ms)",
      "thread": {
        "threadKey": "01990000-0000-7000-8000-00000000000b",
      },
    }
  `);
});

test('keeps the messages of an alert in one thread, and a test out of it', async () => {
  const keyOf = (kind: 'fired' | 'resolved' | 'test') => chatMessage(aNotification({ kind })).thread.threadKey;
  expect([keyOf('fired'), keyOf('resolved'), keyOf('test')]).toEqual([
    aNotification().alert.id,
    aNotification().alert.id,
    aNotification().deliveryId,
  ]);
  const outside = anOutside();
  const webhookUrl = 'https://chat.example/v1/spaces/A/messages?key=k&token=t%3D';
  await googleChat.deliver(googleChat.render(aNotification()), { webhookUrl }, outside, { deliveryId: 'd', alertId: null, nowMs: 0 });
  expect(outside.calls.map(({ url }) => url)).toEqual([
    'https://chat.example/v1/spaces/A/messages?key=k&token=t%3D&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD',
  ]);
});

test('calls nobody and has no tags but ours, whatever is said', () => {
  const { fallbackText, cardsV2 } = chatMessage(saying(HOSTILE));
  expect(fallbackText).not.toMatch(/[<>]/);
  const texts = JSON.stringify(cardsV2[0]?.card.sections).replaceAll(/<\/?b>|<br>/g, '');
  expect(texts).not.toMatch(/[<>]/);
});

test('whatever is said fits', () => {
  for (const text of [HOSTILE, ...LONG])
    for (const notification of allSaying(text)) {
      const message = chatMessage(notification);
      expect(bytesOf(message)).toBeLessThanOrEqual(GOOGLE_CHAT_MAX_BYTES);
      expect(message.thread.threadKey.length).toBeLessThanOrEqual(THREAD_KEY_MAX);
    }
});
