import type { Notification } from '@tocsin/domain';
import { escapedWithin, truncate } from '../message/cut.ts';
import { linkLine } from '../message/links.ts';
import { alertUrl, type Fact, headline, ruleLine, saidBeside } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { factsWithSeries } from '../message/plain-text.ts';

// https://discord.com/developers/docs/resources/message#embed-object-embed-limits
export const DISCORD_MAX = {
  title: 256,
  description: 4_096,
  fields: 25,
  fieldName: 256,
  fieldValue: 1_024,
  footer: 2_048,
  all: 6_000,
} as const;
/** Title, description, fields and footer share 6,000: so much of it each of them takes at most. */
const SHARE = { description: 2_500, value: 400, footer: 300 } as const;

const COLOURS = { critical: 0xd92d20, error: 0xe8590c, warning: 0xf2b705, info: 0x2f80ed } as const;
const OVER = 0x2e9e4f;

export interface DiscordMessage {
  embeds: {
    title: string;
    description: string;
    url?: string;
    color: number;
    timestamp: string;
    fields: { name: string; value: string; inline: boolean }[];
    footer: { text: string };
  }[];
  /** Nobody, whatever the text says. */
  allowed_mentions: { parse: [] };
}

/** Makes tenants' text plain in Discord's Markdown: no emphasis, code, quote, list, heading, link or mention. */
const escapeDiscord = (text: string): string => text.replaceAll(/[\\*_~`|>#[\]()<@-]/g, String.raw`\$&`);

export function discordMessage(notification: Notification): DiscordMessage {
  const message = messageOf(notification);
  const said = [message.sentence, ...saidBeside(message)].join('\n\n');
  const url = alertUrl(message);
  const links = linkLine(message.links, DISCORD_MAX.fieldValue, ' · ', ({ face, url }) => `[${face}](<${url}>)`);
  const fields = factsWithSeries(message).slice(0, DISCORD_MAX.fields - 1);
  return {
    embeds: [
      {
        title: within(`${message.icon} ${headline(message)}`, DISCORD_MAX.title),
        description: within(said, SHARE.description),
        ...(url === null ? {} : { url }),
        color: message.isOver ? OVER : COLOURS[message.severity],
        timestamp: notification.timestamp,
        fields: [...fields.map(fieldOf), ...(links === '' ? [] : [{ name: 'Links', value: links, inline: false }])],
        // the one text that reads no Markdown
        footer: { text: truncate(ruleLine(message), SHARE.footer) },
      },
    ],
    allowed_mentions: { parse: [] },
  };
}

const fieldOf = ({ name, text }: Fact) => ({ name, value: within(text, SHARE.value) || '–', inline: name !== 'Series' });

const within = (text: string, max: number): string => escapedWithin(text, max, escapeDiscord);
