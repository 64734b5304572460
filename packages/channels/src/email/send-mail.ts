import { createTransport, type SMTPTransportOptions } from 'nodemailer';
import type { MailServer, Outside, OutsideSocket } from '../outside.ts';
import { excerpt, verdictOfFailure, type Verdict } from '../verdict.ts';
import { domainOf, parseSender, type Sender } from './addresses.ts';
import type { MailContent } from './mail-content.ts';
import { type MailPlace, placeInThread, unsubscribeHeader } from './mail-headers.ts';
import { verdictOfSmtpFailure } from './smtp-verdict.ts';

// One attempt takes 30 s at most, whatever the server does.
const TOTAL_MS = 30_000;
const GREETING_MS = 10_000;
const SILENCE_MS = 20_000;
export const RECIPIENTS_MAX = 50;

export interface Mail {
  content: MailContent;
  to: readonly string[];
  deliveryId: string;
  /** Keeps the Message-ID of the alert's first mail; null: there is no such mail. */
  thread: Outside['thread'];
  server: MailServer;
  connect: (signal: AbortSignal) => Promise<OutsideSocket>;
  /** We give up. */
  signal: AbortSignal;
}

/** Hands one mail in. Delivered: the server has taken it for at least one recipient; the excerpt names those it did not take it for. */
export async function sendMail(mail: Mail): Promise<Verdict> {
  const { content, deliveryId, thread, server } = mail;
  const from = parseSender(server.from);
  if (from === null) return verdictOfFailure({ code: 'invalid_request' });
  const first = (await thread?.get()) ?? null;
  const place = placeInThread(content, deliveryId, domainOf(from.address), first);
  const verdict = await handIn(mail, from, place);
  if (first === null && verdict.outcome === 'delivered') await thread?.put(place.messageId);
  return verdict;
}

async function handIn({ content, to, deliveryId, server, connect, signal }: Mail, from: Sender, place: MailPlace): Promise<Verdict> {
  const secrets = server.login === null ? [] : [server.login.password];
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(TOTAL_MS)]);
  const transport = createTransport({
    ...optionsOf(server),
    getSocket: (_options, callback) => {
      connect(deadline).then(
        (connection) => callback(null, { connection }),
        (error: unknown) => callback(error instanceof Error ? error : new Error('no connection'), false),
      );
    },
  });
  try {
    const { accepted, rejected, response } = await transport.sendMail({
      from,
      to: [...to],
      subject: content.subject,
      text: content.text,
      html: content.html,
      date: new Date(content.date),
      ...place,
      headers: {
        'Auto-Submitted': 'auto-generated',
        'X-Auto-Response-Suppress': 'All',
        'List-Unsubscribe': { prepared: true, value: unsubscribeHeader(from.address, deliveryId) },
      },
      baseBoundary: deliveryId,
      signal: deadline,
    });
    if (accepted.length === 0) return verdictOfFailure({ code: 'bad_response' });
    const left = rejected.length === 0 ? '' : ` (not for ${rejected.join(', ')})`;
    return { outcome: 'delivered', statusCode: replyCode(response), responseExcerpt: excerpt(`${response}${left}`, secrets) };
  } catch (error) {
    return verdictOfSmtpFailure(error, secrets, signal.aborted);
  } finally {
    transport.close();
  }
}

const optionsOf = ({ host, port, security, login }: MailServer): SMTPTransportOptions => ({
  host,
  port,
  secure: security === 'tls',
  requireTLS: security === 'starttls',
  ignoreTLS: security === 'off',
  tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true },
  ...(login === null ? {} : { auth: { user: login.user, pass: login.password }, forceAuth: true }),
  greetingTimeout: GREETING_MS,
  socketTimeout: SILENCE_MS,
  disableFileAccess: true,
  disableUrlAccess: true,
  maxRecipients: RECIPIENTS_MAX,
});

const replyCode = (response: string): number | null => (/^[2-5]\d\d/.test(response) ? Number(response.slice(0, 3)) : null);
