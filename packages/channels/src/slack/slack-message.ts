import type { KnownBlock } from '@slack/types';
import { type AlertHandling, handlingOf, type Notification } from '@tocsin/domain';
import { truncate } from '../message/cut.ts';
import { HANDLING_FACES } from '../message/links.ts';
import { type Fact, headline, type Message, type MessageLink, ruleLine, saidBeside } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { factsWithSeries } from '../message/plain-text.ts';
import { escapeText, mrkdwnWithin } from './escape.ts';

// https://docs.slack.dev/reference/block-kit/blocks
const HEADER_MAX = 150;
const TEXT_MAX = 3_000;
const FIELD_MAX = 2_000;
const FIELDS_MAX = 10;
const BLOCKS_MAX = 50;
const FALLBACK_MAX = 4_000;

export interface SlackMessage {
  text: string;
  blocks: KnownBlock[];
}

/** What is frozen of it. */
export interface FrozenSlackMessage extends SlackMessage {
  /** It tells of several alerts. */
  isGroup?: true;
  /** What a press of a button may do, where the channel hears of presses. */
  handle?: AlertHandling[];
}

const TAP = 'tap:';

/** An alert in Block Kit. Titles are plain text; in mrkdwn every value of the tenant's is escaped. */
export function slackMessage(notification: Notification): FrozenSlackMessage {
  const message = messageOf(notification);
  const title = `${message.icon} ${headline(message)}`;
  const said = saidBeside(message);
  const blocks: KnownBlock[] = [
    { type: 'header', text: { type: 'plain_text', text: truncate(title, HEADER_MAX), emoji: true } },
    section(`*${mrkdwnWithin(message.sentence, TEXT_MAX - 2)}*`),
    ...said.map((text) => section(mrkdwnWithin(text, TEXT_MAX))),
    { type: 'section', fields: fieldsOf(message) },
    ...linksOf(message.links.filter(isPage)),
    ...linksOf(message.links.filter((link) => !isPage(link))).map((block) => ({ ...block, block_id: `${TAP}${notification.deliveryId}` })),
    {
      type: 'context',
      elements: [{ type: 'plain_text', text: truncate(ruleLine(message), FIELD_MAX), emoji: false }],
    },
  ];
  const handle = handlingOf(notification);
  return {
    text: mrkdwnWithin(`${title}: ${message.sentence}`, FALLBACK_MAX),
    blocks: blocks.slice(0, BLOCKS_MAX),
    ...(notification.group === undefined ? {} : { isGroup: true }),
    ...(handle.length === 0 ? {} : { handle }),
  };
}

/** The same with buttons, in place of links that do what they do. */
export function withButtons({ text, blocks }: SlackMessage, handle: readonly AlertHandling[], alertId: string): SlackMessage {
  const others = blocks.filter(({ block_id: id }) => id?.startsWith(TAP) !== true);
  const buttons: KnownBlock = {
    type: 'actions',
    elements: handle.map((action) => ({
      type: 'button',
      action_id: action,
      value: alertId,
      text: { type: 'plain_text', text: HANDLING_FACES[action] },
    })),
  };
  return { text, blocks: [...others.slice(0, -1), buttons, ...others.slice(-1)] };
}

const isPage = ({ face }: MessageLink): boolean => !Object.values<string>(HANDLING_FACES).includes(face);

const section = (text: string): KnownBlock => ({ type: 'section', text: { type: 'mrkdwn', text } });

function fieldsOf(message: Message): { type: 'mrkdwn'; text: string }[] {
  const times: Record<string, string | null> = { Since: message.startedAt, Resolved: message.resolvedAt };
  return factsWithSeries(message)
    .slice(0, FIELDS_MAX)
    .map((fact) => {
      const time = times[fact.name] ?? null;
      return { type: 'mrkdwn', text: `*${fact.name}*\n${time === null ? shortened(fact) : slackTime(time, fact.text)}` };
    });
}

const shortened = ({ name, text }: Fact): string => mrkdwnWithin(text, FIELD_MAX - name.length - 3);

/** In each reader's own time zone. */
const slackTime = (rfc3339: string, fallback: string): string =>
  `<!date^${Math.floor(Date.parse(rfc3339) / 1_000)}^{date_short_pretty} {time_secs}|${fallback}>`;

function linksOf(links: readonly MessageLink[]): KnownBlock[] {
  if (links.length === 0) return [];
  return [section(links.map(({ face, url }) => `<${escapeText(url)}|${face}>`).join('  ·  '))];
}
