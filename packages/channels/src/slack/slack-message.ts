import type { KnownBlock } from '@slack/types';
import type { Notification } from '@tocsin/domain';
import { headline, readingLine, remarks, seriesLine } from '../message-text.ts';
import { escapedWithin, escapeText, truncate } from './escape.ts';

// https://docs.slack.dev/reference/block-kit/blocks
const HEADER_MAX = 150;
const TEXT_MAX = 3_000;
const FIELD_MAX = 2_000;
const BLOCKS_MAX = 50;
const FALLBACK_MAX = 4_000;

const SIGNS = { critical: '🔴', error: '🟠', warning: '🟡', info: '🔵' } as const;

export interface SlackMessage {
  text: string;
  blocks: KnownBlock[];
}

/** An alert in Block Kit. Titles are plain text; in mrkdwn every value of the tenant's is escaped. */
export function slackMessage(notification: Notification): SlackMessage {
  const { alert, rule, kind, context, undelivered, failing } = notification;
  const sign = kind === 'resolved' ? '✅' : kind === 'test' ? '🔔' : SIGNS[alert.severity];
  const title = `${sign} ${headline(notification)}`;
  const series = seriesLine(alert);

  const blocks: KnownBlock[] = [
    { type: 'header', text: { type: 'plain_text', text: truncate(title, HEADER_MAX), emoji: true } },
    section(`*${escapedWithin(readingLine(alert), TEXT_MAX - 2)}*`),
  ];
  if (failing !== undefined) {
    const { channel, failures, since, reason } = failing;
    const said = `${failures} messages in a row did not reach ${channel} since ${since}: ${reason}. This alert waits there.`;
    blocks.push(section(escapedWithin(said, TEXT_MAX)));
  }
  if (undelivered !== undefined)
    blocks.push(section(escapedWithin(`${undelivered.channel} was not told of this: ${undelivered.reason}`, TEXT_MAX)));
  if (context.summary !== undefined) blocks.push(section(escapedWithin(context.summary, TEXT_MAX)));
  for (const remark of remarks(alert)) blocks.push(section(escapedWithin(remark, TEXT_MAX)));
  blocks.push({
    type: 'section',
    fields: [
      ...(series === null ? [] : [field('Series', series)]),
      { type: 'mrkdwn', text: `*Since*\n${slackTime(alert.startedAt)}` },
      ...(alert.resolvedAt === null ? [] : [{ type: 'mrkdwn' as const, text: `*Resolved*\n${slackTime(alert.resolvedAt)}` }]),
      field('Window', `${alert.window}, ${alert.samples} samples`),
    ],
  });
  const links = [link(alert.url, 'Open alert'), link(context.runbookUrl, 'Runbook')].filter((text) => text !== null);
  if (links.length > 0) blocks.push(section(links.join('  ·  ')));
  blocks.push({
    type: 'context',
    elements: [{ type: 'plain_text', text: truncate(`Rule ${rule.key} · ${rule.name}`, FIELD_MAX), emoji: false }],
  });

  return { text: escapedWithin(`${title}: ${readingLine(alert)}`, FALLBACK_MAX), blocks: blocks.slice(0, BLOCKS_MAX) };
}

const section = (text: string): KnownBlock => ({ type: 'section', text: { type: 'mrkdwn', text } });

const field = (name: string, text: string): { type: 'mrkdwn'; text: string } => ({
  type: 'mrkdwn',
  text: `*${name}*\n${escapedWithin(text, FIELD_MAX - name.length - 3)}`,
});

/** In each reader's own time zone; the fallback is UTC. */
const slackTime = (rfc3339: string): string =>
  `<!date^${Math.floor(Date.parse(rfc3339) / 1_000)}^{date_short_pretty} {time_secs}|${rfc3339.slice(0, 19).replace('T', ' ')} UTC>`;

/** Null unless it is an http(s) address that Slack's link syntax can hold. */
function link(url: string | null | undefined, face: string): string | null {
  if (!url || !/^https?:\/\/[^\s|<>]+$/.test(url) || url.length > FIELD_MAX) return null;
  return `<${escapeText(url)}|${face}>`;
}
