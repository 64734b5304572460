import { domainOf } from './addresses.ts';
import { THREADS_MAX, type MailContent } from './mail-content.ts';

const MESSAGE_ID = /^<[!-;=?A-~]{1,300}@[!-;=?A-~]{1,300}>$/;

export interface MailPlace {
  messageId: string;
  inReplyTo?: string;
  references?: string[];
}

/**
 * The place of a mail among those of its alert (RFC 5322 §3.6.4): a reply to the first that the channel sent, where that is known, and always one of the alert's thread, whose
 * root is an id that no mail has, so that mails whose first is not known, or was of several alerts, hang together, too.
 * @param first the Message-ID of the alert's first mail; null: not known, or this is it
 */
export function placeInThread({ alertId, groupIds }: MailContent, deliveryId: string, domain: string, first: string | null): MailPlace {
  const messageId = `<${deliveryId}@${domain}>`;
  // the parent is the last
  const ids = alertId === null ? [] : [...(groupIds ?? []).filter((id) => id !== alertId).slice(1 - THREADS_MAX), alertId];
  const references = ids.map((id) => `<alert-${id}@${domain}>`);
  if (first === null || first === messageId || !MESSAGE_ID.test(first))
    return { messageId, ...(references.length === 0 ? {} : { references }) };
  return { messageId, inReplyTo: first, references: [...references, first] };
}

/** A mail to the sender that names the delivery, which names its channel, where somebody takes the address off. */
export function unsubscribeHeader(from: string, deliveryId: string): string {
  const local = encodeURIComponent(from.slice(0, from.lastIndexOf('@'))).replaceAll("'", '%27');
  return `<mailto:${local}@${domainOf(from)}?subject=unsubscribe%20${deliveryId}>`;
}
