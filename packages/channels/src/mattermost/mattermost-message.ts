import type { Notification } from '@tocsin/domain';
import { escapedWithin, truncate } from '../message/cut.ts';
import { alertUrl, type Fact, headline, ruleLine, saidBeside } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { factsWithSeries } from '../message/plain-text.ts';

/** https://docs.mattermost.com/developers/integrate/webhooks/incoming/: of a post; all of ours stays below it. */
export const MATTERMOST_MAX = 16_383;
const SHARE = { title: 300, sentence: 600, said: 3_000, fact: 600, footer: 300 } as const;

const COLOURS = { critical: '#d92d20', error: '#e8590c', warning: '#f2b705', info: '#2f80ed' } as const;
const OVER = '#2e9e4f';

/** Keeps an `@` from calling anybody, which a backslash does not. */
const silent = (text: string): string => text.replaceAll('@', '@\u200b');

/** Makes tenants' text plain in Mattermost's Markdown. */
const escapeMattermost = (text: string): string => silent(text.replaceAll(/[\\*_~`>#[\]()!+-]/g, String.raw`\$&`));

export interface MattermostMessage {
  attachments: {
    fallback: string;
    color: string;
    title: string;
    title_link?: string;
    text: string;
    fields: { short: boolean; title: string; value: string }[];
    footer: string;
  }[];
  props: { card: string };
}

export function mattermostMessage(notification: Notification): MattermostMessage {
  const message = messageOf(notification);
  const facts = factsWithSeries(message);
  const said = saidBeside(message).join('\n\n');
  const links = message.links.map(({ face, url }) => `[${face}](<${url}>)`).join(' · ');
  const url = alertUrl(message);
  const text = [`**${within(message.sentence, SHARE.sentence)}**`, within(said, SHARE.said), links]
    .filter((part) => part !== '')
    .join('\n\n');
  const title = `${message.icon} ${headline(message)}`;
  return {
    attachments: [
      {
        fallback: silent(truncate(`${title}: ${message.sentence}`, SHARE.sentence)),
        color: message.isOver ? OVER : COLOURS[message.severity],
        // of a title that leads somewhere no Markdown is read
        ...(url === null ? { title: within(title, SHARE.title) } : { title: silent(truncate(title, SHARE.title)), title_link: url }),
        text,
        fields: facts.map(fieldOf),
        footer: silent(truncate(ruleLine(message), SHARE.footer)),
      },
    ],
    // what opens beside the channel
    props: { card: facts.map(({ name, text: value }) => `**${name}** ${within(value, SHARE.fact)}`).join('\n\n') },
  };
}

const fieldOf = ({ name, text }: Fact) => ({ short: name !== 'Series', title: name, value: within(text, SHARE.fact) });

const within = (text: string, max: number): string => escapedWithin(text, max, escapeMattermost);
