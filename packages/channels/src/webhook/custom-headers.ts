import { CONNECTION_HEADERS } from '@tocsin/domain';
import { z } from 'zod';

const HEADERS_MAX = 20;
const VALUE_MAX = 1_024;

/** What this channel says of its body. */
const OF_THE_BODY = new Set(['content-type', 'content-encoding']);
const isOurs = (name: string): boolean => CONNECTION_HEADERS.has(name) || OF_THE_BODY.has(name) || name.startsWith('webhook-');

// A token of RFC 9110 §5.6.2.
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/;
// Visible ASCII with inner spaces and tabs: no CR, LF or NUL can split the message.
const VALUE = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/;

const name = z
  .string()
  .trim()
  .toLowerCase()
  .regex(NAME, 'is not a header name')
  .refine((text) => text !== '__proto__', 'is not a header name')
  .refine((text) => !isOurs(text), 'is set by the sender and cannot be changed');

const plain = (written: string): string => written.trim().toLowerCase();

/** Extra headers of a webhook, names lower-cased. Values may be credentials, so all are secret. */
export const customHeaders = z
  .record(z.string(), z.unknown())
  .refine((headers) => new Set(Object.keys(headers).map(plain)).size === Object.keys(headers).length, 'names a header twice')
  // Before they are looked at one by one: of too many nobody needs to know what else is wrong with them.
  .refine((headers) => Object.keys(headers).length <= HEADERS_MAX, `at most ${HEADERS_MAX} headers`)
  .pipe(z.record(name, z.string().max(VALUE_MAX).regex(VALUE, 'must be printable ASCII on one line')));
