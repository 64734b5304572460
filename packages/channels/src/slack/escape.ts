import { escapedWithin } from '../message/cut.ts';

/**
 * Makes tenants' text harmless in mrkdwn: no mention, no link with another face, no broadcast.
 * https://docs.slack.dev/messaging/formatting-message-text/#escaping
 */
export const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Escaped and cut so that the result fits `max`. */
export const mrkdwnWithin = (text: string, max: number): string => escapedWithin(text, max, escapeText);
