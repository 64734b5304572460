/**
 * Makes tenants' text harmless in mrkdwn: no mention, no link with another face, no broadcast.
 * https://docs.slack.dev/messaging/formatting-message-text/#escaping
 */
export const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Cuts to `max` UTF-16 units with an ellipsis, never within a character. */
export function truncate(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** Escaped and cut so that the result fits `max`, never within an entity. */
export function escapedWithin(text: string, max: number): string {
  const whole = escapeText(truncate(text, max));
  if (whole.length <= max) return whole;
  return `${whole
    .slice(0, max - 1)
    .replace(/&[a-z]{0,3}$/, '')
    .replace(/[\ud800-\udbff]$/, '')}…`;
}
