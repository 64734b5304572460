import { z } from 'zod';
import { Time } from './primitives.ts';

export const PutSchedule = z.strictObject({ every: z.string().max(20) });

export const Schedule = z.strictObject({
  /** How often rules without an `every` of their own are looked at. */
  every: z.string(),
  /** How often the tenant is looked at at all: the finest `every` of its enabled rules counts too. */
  slotEvery: z.string(),
  /** Null: no enabled rule. */
  nextSlotAt: Time.nullable(),
  lastSlotAt: Time.nullable(),
  /** Runs that failed in a row. */
  failedRuns: z.int(),
  /** Null: not backed off. */
  backedOffUntil: Time.nullable(),
  updatedAt: Time,
});
export type Schedule = z.infer<typeof Schedule>;
