import { createHash, randomBytes } from 'node:crypto';

// 32 bytes as base64url.
const KEY = /^tk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;

/** `tk_<tenant>_<secret>`, so that a key can be looked up among its tenant's rows alone. */
export function newKeyText(tenantId: string): string {
  return `tk_${tenantId.replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`;
}

/** Null: not the text of a key. */
export function tenantOfKey(text: string): string | null {
  const hex = KEY.exec(text)?.[1];
  return hex === undefined ? null : hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** What is stored of a key: the whole text's SHA-256. 256 random bits need no slow hash. */
export const hashOfKey = (text: string): Buffer => createHash('sha256').update(text).digest();
