import type { Notification } from '@tocsin/domain';
import { escapedWithin } from '../message/cut.ts';
import { headline, type Fact } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { factsWithSeries } from '../message/plain-text.ts';

/** https://docs.mattermost.com/developers/integrate/webhooks/incoming/: of a post; all of ours stays below it. */
export const MATTERMOST_MAX = 16_383;
const SHARE = { title: 300, sentence: 600, said: 3_000, fact: 600, footer: 300 } as const;

const COLOURS = { critical: '#d92d20', error: '#e8590c', warning: '#f2b705', info: '#2f80ed' } as const;
const OVER = '#2e9e4f';

/** Makes tenants' text plain in Mattermost's Markdown. A zero-width space keeps an `@` from calling anybody, which a backslash does not. */
export const escapeMattermost = (text: string): string =>
  text.replaceAll(/[\\*_~`|>#[\]()<!:+-]/g, String.raw`\$&`).replaceAll('@', '@\u200b');

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
  const said = [...(message.summary === null ? [] : [message.summary]), ...message.remarks].join('\n\n');
  const links = message.links.map(({ face, url }) => `[${face}](<${url}>)`).join(' · ');
  const [open] = message.links.filter(({ face }) => face === 'Open alert');
  const text = [`**${within(message.sentence, SHARE.sentence)}**`, within(said, SHARE.said), links]
    .filter((part) => part !== '')
    .join('\n\n');
  const title = within(`${message.icon} ${headline(message)}`, SHARE.title);
  return {
    attachments: [
      {
        fallback: `${title}: ${within(message.sentence, SHARE.sentence)}`,
        color: message.isOver ? OVER : COLOURS[message.severity],
        title,
        ...(open === undefined ? {} : { title_link: open.url }),
        text,
        fields: facts.map(fieldOf),
        footer: within(`Rule ${message.rule.key} · ${message.rule.name}`, SHARE.footer),
      },
    ],
    // what opens beside the channel
    props: { card: facts.map(({ name, text: value }) => `**${name}** ${within(value, SHARE.fact)}`).join('\n\n') },
  };
}

const fieldOf = ({ name, text }: Fact) => ({ short: name !== 'Series', title: name, value: within(text, SHARE.fact) });

const within = (text: string, max: number): string => escapedWithin(text, max, escapeMattermost);
