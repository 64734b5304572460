import type { Notification } from '@tocsin/domain';
import { escapedWithin, truncate } from '../message/cut.ts';
import { headline, ruleLine, saidBeside } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { factsWithSeries } from '../message/plain-text.ts';

/** https://developers.google.com/workspace/chat/create-messages: of a message as a whole. */
export const GOOGLE_CHAT_MAX_BYTES = 32_000;
/** https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages: of the thread's key. */
export const THREAD_KEY_MAX = 4_000;
// All texts together stay below it at three bytes a unit.
const SHARE = { title: 200, sentence: 600, said: 1_000, fact: 300, footer: 200 } as const;
const SAID_MAX = 4;

/** https://developers.google.com/workspace/chat/format-messages#card-formatting: cards read a few tags of HTML. */
const escapeCardText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** `<users/all>` would call everybody, where cards cannot be shown. */
const unbracketed = (text: string): string => text.replaceAll('<', '‹').replaceAll('>', '›');

/** A card; all messages of an alert share a thread. */
export function chatMessage(notification: Notification) {
  const message = messageOf(notification);
  const { kind, alert, deliveryId } = notification;
  const said = saidBeside(message).slice(0, SAID_MAX);
  const title = `${message.icon} ${headline(message)}`;
  const widgets = [
    { textParagraph: { text: `<b>${within(message.sentence, SHARE.sentence)}</b>` } },
    ...said.map((text) => ({ textParagraph: { text: within(text, SHARE.said).replaceAll('\n', '<br>') } })),
    ...factsWithSeries(message).map(({ name, text }) => ({
      decoratedText: { topLabel: name, text: within(text, SHARE.fact), wrapText: true },
    })),
    ...(message.links.length === 0
      ? []
      : [{ buttonList: { buttons: message.links.map(({ face, url }) => ({ text: face, onClick: { openLink: { url } } })) } }]),
  ];
  return {
    fallbackText: unbracketed(truncate(`${title}: ${message.sentence}`, SHARE.sentence)),
    cardsV2: [
      {
        cardId: 'alert',
        card: {
          header: {
            title: truncate(title, SHARE.title),
            subtitle: truncate(ruleLine(message), SHARE.footer),
          },
          sections: [{ widgets }],
        },
      },
    ],
    thread: { threadKey: truncate(kind === 'test' ? deliveryId : alert.id, THREAD_KEY_MAX) },
  };
}

const within = (text: string, max: number): string => escapedWithin(text, max, escapeCardText);
