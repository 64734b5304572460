import { isIP } from 'node:net';
import { OutboundError } from './outbound-error.ts';

export interface Target {
  url: URL;
  /** Without brackets and without the dot a name may end in. */
  hostname: string;
  port: number;
}

const MAX_URL_CHARS = 2_048;
// oxlint-disable-next-line no-control-regex -- the URL parser strips these silently, so what was checked is not what was written
const NOT_IN_URLS = /[\u0000-\u0020\u007f\\]/;

/** The metadata services of the clouds by name: where they lead is decided by the machine, not by public DNS. */
const LOCAL_NAMES = new Map([
  ['metadata.google.internal', '169.254.169.254'],
  ['metadata.goog', '169.254.169.254'],
  ['metadata', '169.254.169.254'],
  ['instance-data', '169.254.169.254'],
  ['ip6-localhost', '::1'],
  ['ip6-loopback', '::1'],
]);

/** Reads a URL the way the connection will. Throws OutboundError `url_not_allowed`. */
export function parseTarget(text: string, allowHttp: boolean): Target {
  if (text.length > MAX_URL_CHARS) throw refused(`the URL is longer than ${MAX_URL_CHARS} characters`);
  if (NOT_IN_URLS.test(text)) throw refused('the URL has characters that URLs do not have');
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) throw refused('not an http or https URL');
  const url = new URL(text);
  if (url.protocol === 'http:' && !allowHttp) throw refused('only https is allowed');
  if (url.username !== '' || url.password !== '' || /^https?:\/\/[^/?#]*@/i.test(text)) throw refused('a URL with a user name or password');
  const hostname = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (hostname === '' || hostname.endsWith('.')) throw refused('the URL names no host');
  if (url.port === '0') throw refused('port 0 is not allowed');
  return { url, hostname, port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port) };
}

/** The address a host stands for before any DNS is asked; null when DNS decides. */
export function knownAddress(hostname: string): string | null {
  if (isIP(hostname) !== 0) return hostname;
  const name = hostname.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return '127.0.0.1';
  return LOCAL_NAMES.get(name) ?? null;
}

const refused = (message: string): OutboundError => new OutboundError('url_not_allowed', message);
