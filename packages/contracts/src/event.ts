import { z } from 'zod';
import { PageQuery } from './page.ts';
import { sought, Time, TimeInput } from './primitives.ts';

/** The answer to events: what is counted in `accepted` is durable. */
export const IngestAnswer = z.strictObject({
  accepted: z.int(),
  rejected: z.array(z.strictObject({ index: z.int(), code: z.string(), message: z.string() })),
});

/** From an hour ago to now unless said otherwise. */
export const ListEvents = z.strictObject({
  name: sought(256).optional(),
  from: TimeInput.optional(),
  to: TimeInput.optional(),
  limit: PageQuery.limit,
});

export const Event = z.strictObject({
  ts: Time,
  name: z.string(),
  dims: z.record(z.string(), z.string()),
  measures: z.record(z.string(), z.number()),
});
export type Event = z.infer<typeof Event>;
