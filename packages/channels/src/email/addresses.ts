import { z } from 'zod';

// RFC 5321 §4.5.3.1
const LOCAL_MAX = 64;
const ADDRESS_MAX = 254;
const NAME_MAX = 100;

// Dot-atoms alone: quoted local parts may hold anything, and mail servers disagree on what. Domains may be spelt in any script (RFC 5890).
const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
const DOMAIN = /^[\p{L}\p{M}\p{N}-]+(\.[\p{L}\p{M}\p{N}-]+)*$/u;

/** Whether it is one plain address, without a name, a comment or quotes. */
export function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || text.length > ADDRESS_MAX || local.length > LOCAL_MAX) return false;
  return LOCAL.test(local) && DOMAIN.test(domain) && URL.canParse(`http://${domain}/`);
}

/** An address without a name. */
export const address = z.string().refine(isAddress, 'must be an e-mail address such as ops@example.com');

export interface Sender {
  name: string;
  address: string;
}

/** Reads `Name <address>` or an address; null: it is neither. Names hold nothing that headers are made of. */
export function parseSender(text: string): Sender | null {
  const [, name = '', inside] = /^([^<>"\\=\u0000-\u001f\u007f]*?)\s*<([^<>]*)>$/.exec(text.trim()) ?? [];
  const found = inside ?? text.trim();
  return isAddress(found) && name.length <= NAME_MAX ? { name: name.trim(), address: found } : null;
}

export const isSender = (text: string): boolean => parseSender(text) !== null;

/** `Name <address>`, or an address. */
export const sender = z.string().refine(isSender, 'must be an address, or Name <address>');

/** The part after the `@`, as DNS has it. */
export const domainOf = (mailAddress: string): string => new URL(`http://${mailAddress.slice(mailAddress.lastIndexOf('@') + 1)}/`).hostname;
