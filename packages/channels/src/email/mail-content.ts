import type { MessageKind, Notification } from '@tocsin/domain';
import { z } from 'zod';
import { truncate } from '../message/cut.ts';
import type { Message } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { plainText } from '../message/plain-text.ts';
import { htmlOf } from './html.ts';

/** Beyond it mail programs cut anyway; far within the 998 of RFC 5322 §2.1.1 when encoded. */
const SUBJECT_MAX = 200;
/** Of alerts told together: beyond it the header of their threads would be longer than the mail. */
export const THREADS_MAX = 20;

/** What is frozen of a mail. Whom it goes to and from is the channel's of each attempt. */
export const MailContent = z.object({
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  /** RFC 3339: the same in every attempt. */
  date: z.string(),
  /** What the thread is about; null: it is a thread of its own. */
  alertId: z.string().nullable(),
  /** All it tells of, the worst, which is `alertId`, among them; absent: it is of one. */
  groupIds: z.array(z.string()).optional(),
});
export type MailContent = z.infer<typeof MailContent>;

export function mailContent(notification: Notification): MailContent {
  const message = messageOf(notification);
  const { kind, timestamp, alert, group } = notification;
  return {
    subject: truncate(subjectOf(message, group !== undefined), SUBJECT_MAX),
    text: plainText(message),
    html: htmlOf(message),
    date: timestamp,
    alertId: kind === 'test' ? null : alert.id,
    ...(group === undefined ? {} : { groupIds: group.alertIds.slice(-THREADS_MAX) }),
  };
}

/** Null: the severity. */
const TAGS: Record<MessageKind, string | null> = {
  fired: null,
  escalated: null,
  unsilenced: null,
  unacknowledged: 'UNACKNOWLEDGED',
  reminded: 'STILL FIRING',
  resolved: 'RESOLVED',
  no_data: 'NO DATA',
  acknowledged: 'ACKNOWLEDGED',
  test: 'TEST',
  undelivered: 'NOT DELIVERED',
  channel_failing: 'CHANNEL FAILING',
};

/** `[CRITICAL] Checkout latency`. A name that looks like an encoded word (RFC 2047) would be decoded to something else by who reads it. */
const subjectOf = ({ kind, severity, word, name }: Message, isGroup: boolean): string =>
  `[${isGroup ? word.toUpperCase() : (TAGS[kind] ?? severity.toUpperCase())}] ${name}`.replaceAll('=?', '= ?');
