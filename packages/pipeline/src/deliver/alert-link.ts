import { ALERT_HANDLINGS, type AlertHandling, type EpochMs } from '@tocsin/domain';
import type { SecretBox } from '@tocsin/runtime';
import { timingSafeEqual } from 'node:crypto';

/** What one link allows whoever holds it: one action on one alert, until then, as long as the channel it was sent through exists. */
export interface AlertLink {
  tenantId: string;
  channelId: string;
  alertId: string;
  action: AlertHandling;
  expiresMs: EpochMs;
}

type Whose = Pick<AlertLink, 'tenantId' | 'channelId'> & { alertId: string | null };

/** Long enough for a weekend, and for a message that was retried for a day. */
export const LINK_LIFETIME_MS = 7 * 86_400_000;

const VERSION = 1;
const ID_BYTES = 16;
const CLAIMS_BYTES = 2 + 3 * ID_BYTES + 4;
/** Of base64url. */
const CLAIMS_LENGTH = (CLAIMS_BYTES / 3) * 4;
const SIGNATURE_LENGTH = 43;
/** Stands where the signature will: what is frozen is kept readable, and whoever reads it may not act. As long, so that no limit of a medium is met later. */
const UNSIGNED = 'the-signature-is-put-in-when-it-is-sent'.padEnd(SIGNATURE_LENGTH, '-');
const UNSIGNED_LINK = new RegExp(`(?<=/links/)([A-Za-z0-9_-]{${CLAIMS_LENGTH}})${UNSIGNED}`, 'g');
const TOKEN = new RegExp(`^([A-Za-z0-9_-]{${CLAIMS_LENGTH}})([A-Za-z0-9_-]{${SIGNATURE_LENGTH}})$`);

/** The address of a link as it stands in a frozen message. */
export const unsignedLink = (publicUrl: string, link: AlertLink): string => `${publicUrl}/links/${claimsOf(link)}${UNSIGNED}`;

/**
 * Signs the links of a message that is being sent: those about its own alert, through its own channel, that end in time. Any other is the text of
 * somebody who tries what happens, and stays as it is. `hidden` cuts them out of a text, whole or cut off: they are as good as passwords.
 */
export function signLinks(box: SecretBox, body: string, whose: Whose, nowMs: EpochMs): { body: string; hidden: (text: string) => string } {
  const signed: string[] = [];
  const whole = body.replace(UNSIGNED_LINK, (unsigned, claims: string) => {
    const link = linkOf(claims);
    const isOurs =
      link !== null &&
      link.tenantId === whose.tenantId &&
      link.channelId === whose.channelId &&
      link.alertId === whose.alertId &&
      link.expiresMs <= nowMs + LINK_LIFETIME_MS;
    if (!isOurs) return unsigned;
    signed.push(claims);
    return claims + signatureOf(box, claims);
  });
  return {
    body: whole,
    hidden: (text) => signed.reduce((said, claims) => said.replace(new RegExp(`${claims}[\\w-]*`, 'g'), '••••'), text),
  };
}

/** What a link allows; null: it was not made here. Whether it is over is not looked at. */
export function readLink(box: SecretBox, token: string): AlertLink | null {
  const [, claims, signature] = TOKEN.exec(token) ?? [];
  if (claims === undefined || signature === undefined) return null;
  return timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(box, claims))) ? linkOf(claims) : null;
}

const signatureOf = (box: SecretBox, claims: string): string =>
  box.sign('alert links', Buffer.from(claims, 'base64url')).toString('base64url');

/** version 1 | action 1 | tenant 16 | channel 16 | alert 16 | end in seconds 4. */
function claimsOf({ tenantId, channelId, alertId, action, expiresMs }: AlertLink): string {
  const end = Buffer.alloc(4);
  end.writeUInt32BE(Math.floor(expiresMs / 1_000));
  const ids = [tenantId, channelId, alertId].map((id) => Buffer.from(id.replaceAll('-', ''), 'hex'));
  return Buffer.concat([Buffer.of(VERSION, ALERT_HANDLINGS.indexOf(action)), ...ids, end]).toString('base64url');
}

function linkOf(claims: string): AlertLink | null {
  const bytes = Buffer.from(claims, 'base64url');
  const action = ALERT_HANDLINGS[bytes[1] ?? -1];
  if (bytes.length !== CLAIMS_BYTES || bytes[0] !== VERSION || action === undefined) return null;
  const idAt = (index: number): string => uuidOf(bytes.subarray(2 + index * ID_BYTES, 2 + (index + 1) * ID_BYTES));
  return { tenantId: idAt(0), channelId: idAt(1), alertId: idAt(2), action, expiresMs: bytes.readUInt32BE(2 + 3 * ID_BYTES) * 1_000 };
}

const uuidOf = (bytes: Buffer): string => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
