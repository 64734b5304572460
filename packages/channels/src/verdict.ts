import { parseRetryAfter, verdictOfStatus, type EpochMs } from '@tocsin/domain';
import type { OutboundAnswer } from './outside.ts';

interface Answered {
  /** Of HTTP, or the reply code of SMTP. Null: no answer was seen. */
  statusCode: number | null;
  /** The start of the answer's text, for people; without secrets and control characters. Null: nothing was answered. */
  responseExcerpt: string | null;
}

/** How one send ended. `reason` is a code, `http_<status>` or `smtp_<code>`: it never carries an address, a secret or a foreign text. */
export type Verdict =
  | ({ outcome: 'delivered' } & Answered)
  /** `retryAfterMs` is what the receiver asked for, unclamped; null: it asked for nothing. */
  | ({ outcome: 'retry'; reason: string; retryAfterMs: number | null } & Answered)
  /** Final. `disable`: the receiver is gone for good (410), so that the channel is switched off. */
  | ({ outcome: 'rejected'; reason: string; disable: boolean } & Answered)
  /** Final, and nobody's failure: this installation is not set up to send it, so nothing was sent. */
  | ({ outcome: 'suppressed'; reason: string } & Answered);

/** Failures of the outbound door that the same request would meet again. Every other failure may pass, so it is tried again. */
const FINAL_CODES = new Set(['url_not_allowed', 'blocked_address', 'invalid_request', 'tls', 'redirect']);

const EXCERPT_MAX = 1_024;
/** Shorter ones occur in any text. */
const SECRET_MIN = 6;
const PART_MIN = 12;

/** What an HTTP answer means for the delivery. `secrets` are cut out of the excerpt: a receiver may echo what it was sent. */
export function verdictOfAnswer({ status, headers, body }: OutboundAnswer, secrets: readonly string[], nowMs: EpochMs): Verdict {
  const answered = { statusCode: status, responseExcerpt: excerpt(body, secrets) };
  const meaning = verdictOfStatus(status);
  if (meaning === 'delivered') return { outcome: 'delivered', ...answered };
  const reason = `http_${status}`;
  if (meaning !== 'retry') return { outcome: 'rejected', reason, disable: meaning === 'gone', ...answered };
  const header = headers['retry-after'];
  return { outcome: 'retry', reason, retryAfterMs: header === undefined ? null : parseRetryAfter(header, nowMs), ...answered };
}

/** What a call that brought no answer means. Only the error's `code` is read: messages of network errors carry addresses. */
export function verdictOfFailure(error: unknown): Verdict {
  const code = codeOf(error);
  const unanswered = { statusCode: statusOf(error), responseExcerpt: null };
  return FINAL_CODES.has(code)
    ? { outcome: 'rejected', reason: code, disable: false, ...unanswered }
    : { outcome: 'retry', reason: code, retryAfterMs: null, ...unanswered };
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'connect';
  if ('code' in error && typeof error.code === 'string' && /^[a-z][a-z_]{1,39}$/.test(error.code)) return error.code;
  return 'name' in error && (error.name === 'TimeoutError' || error.name === 'AbortError') ? 'timeout' : 'connect';
}

/** A secret, and the parts that would do as well: the token after `Bearer`, the key after `whsec_`, the path of an address. */
const secretWords = (secret: string): string[] => [
  ...(secret.length < SECRET_MIN ? [] : [secret]),
  ...secret.split(/[\s/?&=:,_]+/).filter((part) => part.length >= PART_MIN),
];

/** A redirect is an answer that is refused for what it is. */
const statusOf = (error: unknown): number | null =>
  typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number' ? error.status : null;

/** The start of an answer's text as it may be shown; null: it is empty. */
export function excerpt(body: string, secrets: readonly string[]): string | null {
  if (body === '') return null;
  // first, since a secret that these stand in is whole again without them
  let text = body.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
  for (const word of secrets.flatMap(secretWords)) text = text.replaceAll(word, '••••');
  return text.slice(0, EXCERPT_MAX);
}
