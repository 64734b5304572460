import { z } from 'zod';
import { PageQuery } from './page.ts';
import { Id, Time } from './primitives.ts';

/** A metric of the tenant's own, and how it does. What is written is checked by the parser of metric definitions. */
export const MetricDefinition = z.strictObject({
  id: Id,
  /** What rules call it. */
  key: z.string(),
  name: z.string(),
  /** Null: bare numbers. */
  unit: z.string().nullable(),
  /** A metric query in canonical words, with its group-by. */
  query: z.unknown(),
  every: z.string(),
  evaluationDelay: z.string(),
  enabled: z.boolean(),
  /** The oldest instant that is not recorded yet; null: disabled. */
  nextRunAt: Time.nullable(),
  /** The newest instant that is recorded, the series that had a value, and those past the limit of 1,000. Null: none yet. */
  lastRun: z.strictObject({ at: Time, series: z.int(), dropped: z.int() }).nullable(),
  /** Why the last try recorded nothing, a code and a sentence; null: it did. */
  lastError: z.string().nullable(),
  /** Counts people's changes; the `ETag`. */
  version: z.int(),
  createdAt: Time,
  createdBy: z.string(),
  updatedAt: Time,
  updatedBy: z.string(),
});
export type MetricDefinition = z.infer<typeof MetricDefinition>;

/** What is left out stays; `key` is for ever. What the words mean is the parser's to say. */
export const UpdateMetricDefinition = z.strictObject({
  name: z.unknown().optional(),
  unit: z.unknown().optional(),
  query: z.unknown().optional(),
  every: z.unknown().optional(),
  evaluationDelay: z.unknown().optional(),
  enabled: z.unknown().optional(),
});

export const ListMetricDefinitions = z.strictObject(PageQuery);
export const ListRulesOfMetric = z.strictObject(PageQuery);
