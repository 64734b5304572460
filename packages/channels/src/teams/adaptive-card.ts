import type { Notification } from '@tocsin/domain';
import { truncate } from '../message/cut.ts';
import { headline, ruleLine, saidBeside } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { factsWithSeries } from '../message/plain-text.ts';

/** https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook: of a message as a whole. */
export const TEAMS_MAX_BYTES = 28 * 1_024;
// All texts together stay below it at three bytes a unit.
const SHARE = { title: 250, sentence: 600, said: 900, fact: 250, footer: 200 } as const;
const SAID_MAX = 4;

const COLOURS = { critical: 'attention', error: 'attention', warning: 'warning', info: 'accent' } as const;

/** The one attachment that a flow “When a Teams webhook request is received” posts. */
export interface TeamsMessage {
  type: 'message';
  attachments: { contentType: 'application/vnd.microsoft.card.adaptive'; content: Record<string, unknown> }[];
}

/**
 * Adaptive Card 1.4. Foreign text stands in TextRuns alone, the one element that reads no Markdown; mentions need entities, of which there are none.
 * https://adaptivecards.io/explorer/TextRun.html
 */
export function teamsMessage(notification: Notification): TeamsMessage {
  const message = messageOf(notification);
  const said = saidBeside(message).slice(0, SAID_MAX);
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      block([
        run(`${message.icon} ${headline(message)}`, SHARE.title, {
          size: 'large',
          weight: 'bolder',
          color: message.isOver ? 'good' : COLOURS[message.severity],
        }),
      ]),
      block([run(message.sentence, SHARE.sentence, { weight: 'bolder' })]),
      ...said.map((text) => block([run(text, SHARE.said)])),
      ...factsWithSeries(message).map(({ name, text }) =>
        block([run(`${name}  `, SHARE.fact, { isSubtle: true }), run(text, SHARE.fact)], { spacing: 'small' }),
      ),
      block([run(ruleLine(message), SHARE.footer, { isSubtle: true, size: 'small' })]),
    ],
    actions: message.links.map(({ face, url }) => ({ type: 'Action.OpenUrl', title: face, url })),
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
}

type More = Record<string, unknown>;

const block = (inlines: More[], more: More = {}): More => ({ type: 'RichTextBlock', inlines, ...more });

const run = (text: string, max: number, more: More = {}): More => ({ type: 'TextRun', text: truncate(text, max), ...more });
