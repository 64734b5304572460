import type { Notification } from '@tocsin/domain';
import { truncateBytes } from '../message/cut.ts';
import { alertUrl, headline, type Message, type MessageLink } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { plainDetails } from '../message/plain-text.ts';

/** https://docs.ntfy.sh/publish/#limitations: beyond it a message becomes an attachment. */
export const NTFY_MAX_BYTES = 4_096;
export const NTFY_ACTIONS_MAX = 3;
const TITLE_MAX_BYTES = 250;

// https://docs.ntfy.sh/publish/#message-priority
const PRIORITIES = { critical: 5, error: 4, warning: 3, info: 2 } as const;
// https://docs.ntfy.sh/emojis/
const TAGS: Record<Message['icon'], string> = {
  '🔴': 'red_circle',
  '🟠': 'orange_circle',
  '🟡': 'yellow_circle',
  '🔵': 'large_blue_circle',
  '⚪': 'white_circle',
  '👀': 'eyes',
  '✅': 'white_check_mark',
  '🔔': 'bell',
};

export interface NtfyMessage {
  title: string;
  message: string;
  priority: 2 | 3 | 4 | 5;
  tags: string[];
  click?: string;
  actions: { action: 'view'; label: string; url: string }[];
}

/** The message without its topic, which is as good as a password. Plain text: nothing in it means anything. */
export function ntfyMessage(notification: Notification): NtfyMessage {
  const message = messageOf(notification);
  const url = alertUrl(message);
  return {
    title: truncateBytes(headline(message), TITLE_MAX_BYTES),
    message: truncateBytes(`${message.sentence}\n\n${plainDetails({ ...message, links: [] })}`, NTFY_MAX_BYTES),
    priority: message.isOver || message.kind === 'test' ? 3 : PRIORITIES[message.severity],
    tags: [TAGS[message.icon]],
    ...(url === null ? {} : { click: url }),
    actions: actionsOf(message).map(({ face, url }) => ({ action: 'view', label: face, url })),
  };
}

/** Of more than there is room for the alert's own page is left out: a tap on the message leads there. */
const actionsOf = ({ links }: Message): MessageLink[] =>
  (links.length > NTFY_ACTIONS_MAX ? links.filter(({ face }) => face !== 'Open alert') : links).slice(0, NTFY_ACTIONS_MAX);
