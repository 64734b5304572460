import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Where a secret lives. A sealed value opens nowhere else. */
export interface SecretPlace {
  tenantId: string;
  table: string;
  rowId: string;
  column: string;
}

export interface SecretBox {
  seal: (plain: string, place: SecretPlace) => Buffer;
  /** Throws SecretBoxError for another key, another place, or an altered value. */
  open: (sealed: Uint8Array, place: SecretPlace) => string;
  /** HMAC-SHA-256 under a key that serves this purpose alone: nothing that is sealed, or signed for another, says anything about it. */
  sign: (purpose: SigningPurpose, bytes: Uint8Array) => Buffer;
}

type SigningPurpose = 'alert links';

export class SecretBoxError extends Error {
  override name = 'SecretBoxError';
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES;

/**
 * AES-256-GCM with a random 96-bit nonce per value (NIST SP 800-38D: good for 2³² values under one key). Layout:
 * version 1 | key id 4 | nonce 12 | ciphertext | tag 16. The associated data is the header and the place.
 */
export function secretBox(keyText: string): SecretBox {
  const keyFor = (purpose: 'secret box' | SigningPurpose): Buffer => Buffer.from(hkdfSync('sha256', keyText, '', `tocsin ${purpose}`, 32));
  const key = keyFor('secret box');
  const header = Buffer.concat([Buffer.of(VERSION), createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES)]);
  return {
    seal(plain, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.concat([header, bytesOf(place)]));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return Buffer.concat([header, nonce, body, cipher.getAuthTag()]);
    },
    open(value, place) {
      const sealed = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      if (sealed.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION) throw new SecretBoxError('not a sealed secret');
      if (!sealed.subarray(0, HEADER_BYTES).equals(header)) throw new SecretBoxError('sealed with another key than TOCSIN_SECRET_KEY');
      const bodyAt = HEADER_BYTES + NONCE_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(HEADER_BYTES, bodyAt), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.concat([header, bytesOf(place)]));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(bodyAt, -TAG_BYTES)), decipher.final()]).toString('utf8');
      } catch {
        throw new SecretBoxError('altered, or moved from where it was sealed');
      }
    },
    sign: (purpose, bytes) => createHmac('sha256', keyFor(purpose)).update(bytes).digest(),
  };
}

/** Each part with its length before it, so that no two places give the same bytes. */
function bytesOf({ tenantId, table, rowId, column }: SecretPlace): Buffer {
  return Buffer.concat(
    [tenantId, table, rowId, column].flatMap((part) => {
      const bytes = Buffer.from(part, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
