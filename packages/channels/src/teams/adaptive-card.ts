import type { Notification } from '@tocsin/domain';
import { truncate } from '../message/cut.ts';
import { headline } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { factsWithSeries } from '../message/plain-text.ts';

/** https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook: of a message as a whole. */
export const TEAMS_MAX_BYTES = 28 * 1_024;
// All texts together stay below it at four bytes a character, escapes included.
const SHARE = { title: 250, sentence: 600, said: 900, fact: 250, footer: 200 } as const;
const SAID_MAX = 4;

const COLOURS = { critical: 'attention', error: 'attention', warning: 'warning', info: 'accent' } as const;

/** The one attachment that a flow “When a Teams webhook request is received” posts. */
export interface TeamsMessage {
  type: 'message';
  attachments: { contentType: 'application/vnd.microsoft.card.adaptive'; content: Record<string, unknown> }[];
}

/** Takes the meaning from what Adaptive Cards read as Markdown: emphasis, links, lists. Mentions need entities, of which there are none. */
export const escapeCard = (text: string): string =>
  text.replaceAll(/[\\*_[\]()`~#]/g, String.raw`\$&`).replace(/^(\s*)([-+>]|\d+\.)/gm, '$1\u200b$2');

/** Adaptive Card 1.4: https://adaptivecards.io/explorer/AdaptiveCard.html */
export function teamsMessage(notification: Notification): TeamsMessage {
  const message = messageOf(notification);
  const said = [...(message.summary === null ? [] : [message.summary]), ...message.remarks].slice(0, SAID_MAX);
  const block = (text: string, more: Record<string, unknown> = {}) => ({ type: 'TextBlock', text, wrap: true, ...more });
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      block(shown(`${message.icon} ${headline(message)}`, SHARE.title), {
        size: 'large',
        weight: 'bolder',
        color: message.isOver ? 'good' : COLOURS[message.severity],
      }),
      block(shown(message.sentence, SHARE.sentence), { weight: 'bolder' }),
      ...said.map((text) => block(shown(text, SHARE.said))),
      { type: 'FactSet', facts: factsWithSeries(message).map(({ name, text }) => ({ title: name, value: shown(text, SHARE.fact) })) },
      block(shown(`Rule ${message.rule.key} · ${message.rule.name}`, SHARE.footer), { isSubtle: true, size: 'small' }),
    ],
    actions: message.links.map(({ face, url }) => ({ type: 'Action.OpenUrl', title: face, url })),
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
}

const shown = (text: string, max: number): string => escapeCard(truncate(text, max));
