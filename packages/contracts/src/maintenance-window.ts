import { Matchers, shownAt, WEEKDAYS } from '@tocsin/domain';
import { z } from 'zod';
import { PageQuery } from './page.ts';
import { Id, line, Time, TimeZone } from './primitives.ts';

/** `none`: once. `daily` and `weekly` come at the time of day of `start`; `cron` at its own instants, from `start` on. */
const Recurrence = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('daily') }),
  z.strictObject({ kind: z.literal('weekly'), days: z.array(z.enum(WEEKDAYS)).min(1).max(7) }),
  z.strictObject({ kind: z.literal('cron'), cron: z.string().trim().min(1).max(100) }),
]);

const fields = {
  name: line(200),
  matchers: Matchers.min(1),
  timeZone: TimeZone,
  /** What clocks there show when it first begins. */
  start: z.string().refine((text) => shownAt(text) !== null, 'must be a local time such as 2026-11-28T22:00, without an offset'),
  /** Of elapsed time, whatever the clocks do. */
  duration: z.string().max(20),
  recurrence: Recurrence,
};

/** A whole window. */
export const PutMaintenanceWindow = z.strictObject({ ...fields, recurrence: Recurrence.default({ kind: 'none' }) });
export type PutMaintenanceWindow = z.infer<typeof PutMaintenanceWindow>;

export const MaintenanceWindow = z.strictObject({
  id: Id,
  ...fields,
  /** It mutes just now. */
  active: z.boolean(),
  /** The occurrences that are not over, soonest first, at most 5; none: it does not come again. */
  next: z.array(z.strictObject({ startsAt: Time, endsAt: Time })),
  version: z.int(),
  createdAt: Time,
  createdBy: z.string(),
  updatedAt: Time,
  updatedBy: z.string(),
});
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

export const ListMaintenanceWindows = z.strictObject({ ...PageQuery });
