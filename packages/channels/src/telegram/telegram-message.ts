import type { Notification } from '@tocsin/domain';
import { escapedWithin } from '../message/cut.ts';
import { linkLine } from '../message/links.ts';
import { headline, ruleLine, saidBeside } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { factsWithSeries } from '../message/plain-text.ts';

/** https://core.telegram.org/bots/api#sendmessage: 1–4096 characters after entities parsing. Ours stays below with them. */
export const TELEGRAM_MAX = 4_096;
const SHARE = { title: 300, sentence: 500, said: 1_200, fact: 150, footer: 200 } as const;

/** https://core.telegram.org/bots/api#html-style */
const escapeTelegram = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export interface TelegramMessage {
  text: string;
  parse_mode: 'HTML';
  link_preview_options: { is_disabled: true };
}

/** The message without whom it is for. */
export function telegramMessage(notification: Notification): TelegramMessage {
  const message = messageOf(notification);
  const said = saidBeside(message).join('\n');
  const facts = factsWithSeries(message).map(({ name, text }) => `<b>${name}</b> ${within(text, SHARE.fact)}`);
  const paragraphs = [
    `<b>${message.icon} ${within(headline(message), SHARE.title)}</b>\n${within(message.sentence, SHARE.sentence)}`,
    within(said, SHARE.said),
    facts.join('\n'),
    `<i>${within(ruleLine(message), SHARE.footer)}</i>`,
  ];
  const text = paragraphs.filter((part) => part !== '').join('\n\n');
  const left = TELEGRAM_MAX - text.length - 2;
  const links = linkLine(message.links, left, ' · ', ({ face, url }) => `<a href="${escapeTelegram(url)}">${face}</a>`);
  return {
    text: links === '' ? text : `${text}\n\n${links}`,
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
  };
}

const within = (text: string, max: number): string => escapedWithin(text, max, escapeTelegram);
