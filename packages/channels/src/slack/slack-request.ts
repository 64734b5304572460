import { ALERT_HANDLINGS, type AlertHandling, type EpochMs } from '@tocsin/domain';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { jsonOf } from '../post-json.ts';

/** What Slack signs with: of `X-Slack-Signature` and `X-Slack-Request-Timestamp`. */
export interface SlackSignature {
  signature: string;
  /** Seconds. */
  timestamp: string;
}

const SIGNED_WITHIN_MS = 5 * 60_000;

/** The signature a request carries; null: none that could be one. */
export function slackSignatureOf(signature: unknown, timestamp: unknown): SlackSignature | null {
  if (typeof signature !== 'string' || typeof timestamp !== 'string') return null;
  return /^v0=[0-9a-f]{64}$/.test(signature) && /^\d{1,12}$/.test(timestamp) ? { signature, timestamp } : null;
}

/**
 * Slack knows the secret, has signed exactly these bytes, and not long ago.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function isSignedBySlack({ signature, timestamp }: SlackSignature, body: Uint8Array, secret: string, nowMs: EpochMs): boolean {
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
  const isRight = timingSafeEqual(Buffer.from(signature), Buffer.from(`v0=${expected}`));
  return isRight && Math.abs(nowMs - Number(timestamp) * 1_000) <= SIGNED_WITHIN_MS;
}

/** What somebody asks for in Slack. `user` is their name there, as far as it is one, and their id. */
export type SlackAsk =
  | { kind: 'command'; command: string; words: string[]; user: string }
  /** `responseUrl`: where they alone are answered; null: nowhere. */
  | { kind: 'button'; action: AlertHandling; alertId: string; responseUrl: string | null; user: string };

const WORDS_MAX = 5;

const UserId = z.string().regex(/^[A-Z0-9]{3,30}$/);
const Command = z.object({
  command: z.string().regex(/^\/[\w-]{1,32}$/),
  text: z.string().max(4_000).default(''),
  user_id: UserId,
  user_name: z.string().optional(),
});
const Press = z.object({
  type: z.literal('block_actions'),
  user: z.object({ id: UserId, username: z.string().optional() }),
  actions: z.tuple([z.object({ action_id: z.enum(ALERT_HANDLINGS), value: z.uuid() })]),
  response_url: z.string().optional(),
});

/** Reads the body of a request that Slack has signed; null: it is neither the command nor a button of ours. */
export function readSlackAsk(body: string): SlackAsk | null {
  const form = Object.fromEntries(new URLSearchParams(body));
  if (form['payload'] !== undefined) {
    const press = Press.safeParse(jsonOf(form['payload']));
    if (!press.success) return null;
    const { user, actions, response_url: url = '' } = press.data;
    const [{ action_id: action, value: alertId }] = actions;
    return { kind: 'button', action, alertId, responseUrl: isOfSlack(url) ? url : null, user: userOf(user.id, user.username) };
  }
  const typed = Command.safeParse(form);
  if (!typed.success) return null;
  const { command, text, user_id: id, user_name: name } = typed.data;
  const words = text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
  return { kind: 'command', command, words: words.slice(0, WORDS_MAX), user: userOf(id, name) };
}

/** `ann/U0123456`: names can be changed, ids cannot. */
const userOf = (id: string, name = ''): string => (/^[\p{L}\p{N}._-]{1,80}$/u.test(name) ? `${name}/${id}` : id);

/** https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses */
const isOfSlack = (url: string): boolean => /^https:\/\/hooks\.slack(-gov)?\.com\/[\w/-]{1,500}$/.test(url);
