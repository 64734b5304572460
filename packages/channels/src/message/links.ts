import type { AlertHandling, Notification } from '@tocsin/domain';
import type { MessageLink } from './message.ts';

const URL_MAX = 2_000;
// What quotes, brackets or separates addresses in HTML, mrkdwn, Markdown or mail headers has no place in one.
const SAFE = /^https?:\/\/[^\s"'<>\\|`{}^]+$/i;

/** What acting on an alert is called where people tap. */
export const HANDLING_FACES = { acknowledge: 'Acknowledge', silence: 'Silence for 1 h' } as const satisfies Record<AlertHandling, string>;

/** The pages a message leads to, in the order they are shown. An address that is none, or could break out of its place, is left out. */
export function linksOf({ alert, context, handle = {} }: Notification): MessageLink[] {
  return [
    { face: 'Open alert' as const, url: alert.url ?? '' },
    { face: HANDLING_FACES.acknowledge, url: handle.acknowledge ?? '' },
    { face: HANDLING_FACES.silence, url: handle.silence ?? '' },
    { face: 'Runbook' as const, url: context.runbookUrl ?? '' },
  ].filter(({ url }) => isSafe(url));
}

/** Links as a medium shows them, in a line of at most `max` characters: one that is too long makes no room for itself. */
export function linkLine(links: readonly MessageLink[], max: number, separator: string, shown: (link: MessageLink) => string): string {
  return links.map(shown).reduce((line, link) => {
    const longer = line === '' ? link : `${line}${separator}${link}`;
    return longer.length > max ? line : longer;
  }, '');
}

/** An http(s) address without a user name, which could pass for the host. */
function isSafe(url: string): boolean {
  if (url.length > URL_MAX || !SAFE.test(url) || !URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}
