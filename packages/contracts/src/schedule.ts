import { WEEKDAYS } from '@tocsin/domain';
import { z } from 'zod';
import { EndTime, Time } from './primitives.ts';

/** On the clocks of the schedule's time zone. */
const ActiveHours = z.strictObject({ days: z.array(z.enum(WEEKDAYS)).min(1).max(7), from: EndTime, to: EndTime });

const Text = z.string().max(100);

/** The whole schedule: what is left out is the default. */
export const PutSchedule = z.strictObject({
  every: z.string().max(20).optional(),
  debounce: z.string().max(20).optional(),
  timeZone: Text.optional(),
  cron: Text.nullable().optional(),
  activeHours: z.array(ActiveHours).max(21).optional(),
  /** RFC 3339. */
  pausedUntil: z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time such as 2027-01-04T08:00:00Z' }).nullable().optional(),
});
export type PutSchedule = z.infer<typeof PutSchedule>;

const Settings = z.strictObject({
  /** How often rules without an `every` of their own are looked at. Rests where there is a cron. */
  every: z.string(),
  /** Scheduled runs are at least this far apart; `0s`: as they come. */
  debounce: z.string(),
  timeZone: z.string(),
  /** Null: slots are those of `every`. */
  cron: z.string().nullable(),
  /** Empty: always. */
  activeHours: z.array(ActiveHours),
  pausedUntil: Time.nullable(),
});

export const Schedule = z.strictObject({
  ...Settings.shape,
  /** Whether anybody has set any of it. */
  configured: z.boolean(),
  defaults: Settings,
  /** How often the tenant is looked at at all: the finest `every` of its enabled rules counts too, and of a cron its closest instants. */
  slotEvery: z.string(),
  /** Null: no enabled rule, or a cron that does not come again. */
  nextSlotAt: Time.nullable(),
  lastSlotAt: Time.nullable(),
  /** When the newest run that was evaluated ended, asked for or scheduled. */
  lastRunAt: Time.nullable(),
  /** When the next scheduled run is to be: its slot, or when the back-off ends. */
  nextRunAt: Time.nullable(),
  /** Runs that failed in a row. */
  failedRuns: z.int(),
  /** Null: not backed off. */
  backedOffUntil: Time.nullable(),
  updatedAt: Time,
});
export type Schedule = z.infer<typeof Schedule>;
