import type { Notification } from '@tocsin/domain';
import type { MessageLink } from './message.ts';

const URL_MAX = 2_000;
// What quotes, brackets or separates addresses in HTML, mrkdwn, Markdown or mail headers has no place in one.
const SAFE = /^https?:\/\/[^\s"'<>\\|`{}^]+$/i;

/** The pages a message leads to, in the order they are shown. An address that is none, or could break out of its place, is left out. */
export function linksOf({ alert, context }: Notification): MessageLink[] {
  return [
    { face: 'Open alert' as const, url: alert.url ?? '' },
    { face: 'Runbook' as const, url: context.runbookUrl ?? '' },
  ].filter(({ url }) => isSafe(url));
}

/** An http(s) address without a user name, which could pass for the host. */
function isSafe(url: string): boolean {
  if (url.length > URL_MAX || !SAFE.test(url) || !URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}
