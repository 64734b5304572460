import { z } from 'zod';
import { Basis, Time, TimeInput } from './primitives.ts';

/** A comparison of a rule without its threshold, over a range. What the words mean is the rule parser's to say. */
export const QueryMetrics = z.strictObject({
  metric: z.unknown().optional(),
  measure: z.unknown().optional(),
  dim: z.unknown().optional(),
  name: z.unknown().optional(),
  aggregation: z.unknown().optional(),
  where: z.unknown().optional(),
  window: z.unknown().optional(),
  unit: z.unknown().optional(),
  groupBy: z.unknown().optional(),
  from: TimeInput,
  to: TimeInput,
  step: z.string().max(20),
});

export const MetricRange = z.strictObject({
  series: z.array(
    z.strictObject({
      labels: z.record(z.string(), z.string()),
      /** `at` is the end of the window that was read. `value` is null where there is no reading. */
      points: z.array(z.strictObject({ at: Time, value: z.number().nullable(), samples: z.int() })),
    }),
  ),
  /** Null: a bare number. */
  unit: z.string().nullable(),
  /** Series past the limit of 1,000, or of 100,000 points in all; those of most samples are kept. */
  dropped: z.int(),
  basis: Basis,
});
export type MetricRange = z.infer<typeof MetricRange>;

const MetricSeen = z.strictObject({
  name: z.string(),
  dims: z.array(z.string()),
  measures: z.array(z.string()),
  firstSeenAt: Time,
  lastSeenAt: Time,
  /** From an event's time to its arrival, in milliseconds: half of them, and 99 %, came within. Null: not measured yet. */
  lag: z.strictObject({ p50: z.int(), p99: z.int() }).nullable(),
});

/** A metric that rules call by name. */
const NamedMetric = z.strictObject({
  metric: z.string(),
  title: z.string(),
  unit: z.string().nullable(),
  defaultAggregation: z.string(),
});

export const MetricList = z.strictObject({
  data: z.array(MetricSeen),
  /** Those every tenant has. */
  catalogue: z.array(NamedMetric),
  /** The tenant's own, by key. */
  definitions: z.array(NamedMetric),
});
export type MetricList = z.infer<typeof MetricList>;
