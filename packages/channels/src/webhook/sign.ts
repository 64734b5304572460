import { createHmac, randomBytes } from 'node:crypto';
import type { EpochMs } from '@tocsin/domain';

const PREFIX = 'whsec_';
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
const KEY_BYTES = { min: 24, max: 64 } as const;

export const newWebhookSecret = (): string => PREFIX + randomBytes(KEY_BYTES.min).toString('base64');

/** `whsec_` and the base64 of 24 to 64 bytes, as Standard Webhooks asks. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(PREFIX) || !/^[A-Za-z0-9+/]+={0,2}$/.test(text.slice(PREFIX.length))) return false;
  const { length } = keyOf(text);
  return length >= KEY_BYTES.min && length <= KEY_BYTES.max;
}

/**
 * The three headers of Standard Webhooks over `id.timestamp.body`. Each secret adds a signature, so that a receiver verifies with the
 * old one or the new one while secrets are exchanged. `id` must not contain a dot.
 */
export function signatureHeaders(id: string, atMs: EpochMs, body: string, secrets: readonly string[]): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const sign = (secret: string): string =>
    `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': secrets.map(sign).join(' ') };
}

const keyOf = (secret: string): Buffer => Buffer.from(secret.slice(PREFIX.length), 'base64');
