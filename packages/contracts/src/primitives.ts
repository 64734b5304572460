import { hasControlCharacters, isTimeZone } from '@tocsin/domain';
import { z } from 'zod';

export const Id = z.uuid();

/** RFC 3339, UTC, milliseconds: how every time leaves the API. */
export const Time = z.iso.datetime({ precision: 3 });

/** Whether every event of a window was read, or closed hours may be summed up in it: sums and counts exact, percentiles within 1 %. */
export const Basis = z.enum(['events', 'hours']);

/** One line of text as people type it. */
export const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !hasControlCharacters(text), 'must not contain control characters');

/** Text that is looked for, as it is. */
export const sought = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !hasControlCharacters(text), 'must not contain control characters');

/** The stable name of a rule or channel: lower case, digits, `-`, `_` and `.`. */
export const Key = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be lower-case letters, digits, ".", "_" or "-", starting with a letter or digit');

/** An IANA name. */
export const TimeZone = z
  .string()
  .max(100)
  .refine(isTimeZone, { error: 'must be the name of a time zone such as Europe/Berlin', params: { code: 'unknown_time_zone' } });

const TIME_OF_DAY = 'must be a time of day such as 09:30';
/** Of a clock: `00:00` to `23:59`. */
export const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, TIME_OF_DAY);
/** An end of hours, which may be that of the day. */
export const EndTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, TIME_OF_DAY);

/** A time as asked for: RFC 3339 with an offset, or epoch milliseconds. Answers epoch milliseconds. */
export const TimeInput = z
  .union([z.iso.datetime({ offset: true }), z.int(), z.string().regex(/^\d{1,15}$/)], 'must be an RFC 3339 time or epoch milliseconds')
  .transform((time) => (typeof time === 'string' && !/^\d+$/.test(time) ? Date.parse(time) : Number(time)))
  .refine((ms) => ms >= 0 && ms <= MAX_TIME_MS, 'must lie between 1970 and 2200');

const MAX_TIME_MS = Date.UTC(2200, 0, 1);
