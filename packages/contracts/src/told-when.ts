import { isQuietForever, LATER_REASONS, minuteOfDay, WEEKDAYS } from '@tocsin/domain';
import { z } from 'zod';
import { EndTime, Time, TimeOfDay, TimeZone } from './primitives.ts';

const WINDOWS_MAX = 14;

/** Begins on these days; `to` at or before `from` is on the day after. */
const QuietWindow = z.strictObject({
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .max(7)
    .default(() => [...WEEKDAYS]),
  from: TimeOfDay,
  to: EndTime,
});

/** What is no time is complained of by itself. */
const areTimes = ({ from, to }: { from: string; to: string }): boolean => minuteOfDay(from) !== null && minuteOfDay(to) !== null;

/** When nobody is to be disturbed, on the clocks of a time zone. */
export const QuietHours = z.strictObject({
  timeZone: TimeZone,
  windows: z
    .array(QuietWindow)
    .min(1)
    .max(WINDOWS_MAX)
    .refine((windows) => !windows.every(areTimes) || !isQuietForever({ windows }), {
      error: 'never end: what waits for their end would never be told',
      params: { code: 'never_ends' },
    }),
});

/** When what is collected is told. */
export const Digest = z.discriminatedUnion('every', [
  z.strictObject({ every: z.literal('daily'), at: TimeOfDay, timeZone: TimeZone }),
  z.strictObject({ every: z.literal('weekly'), day: z.enum(WEEKDAYS).default('mon'), at: TimeOfDay, timeZone: TimeZone }),
]);

/** What is milder is collected. */
export const DigestBelow = z.enum(['warning', 'error', 'critical']);

/** What a message waits for, and until when. */
export const ToldLater = z.strictObject({ reason: z.enum(LATER_REASONS), until: Time });
