import { z } from 'zod';
import { AGGREGATIONS } from './aggregations.ts';
import { OPERATORS } from './metric-query.ts';
import { SEVERITIES } from './severity.ts';

/** A duration, `5m`. Whether it is one is checked where rules come in. */
const Duration = z.string().meta({ examples: ['30s', '5m', '2h', '7d'] });

const PrefixTest = z.strictObject({ prefix: z.string() });

/** The tests of one field; all must hold. Operators test a measure, the others a dimension, `exists` either. */
const FieldTests = z.strictObject({
  prefix: z.string().optional(),
  exists: z.boolean().optional(),
  not: z.union([z.string(), z.array(z.string()), PrefixTest]).optional(),
  '>': z.number().optional(),
  '>=': z.number().optional(),
  '<': z.number().optional(),
  '<=': z.number().optional(),
  '==': z.number().optional(),
  '!=': z.number().optional(),
});

export const WhereTest = z.union([z.string(), z.array(z.string()), FieldTests]);
export type WhereTest = z.infer<typeof WhereTest>;

export const ComparisonSpec = z.strictObject({
  /** Of the catalogue, or the key of a saved metric, whose unit is then in `unit`. */
  metric: z.string().optional(),
  measure: z.string().optional(),
  dim: z.string().optional(),
  name: z.string().optional(),
  aggregation: z.enum(AGGREGATIONS),
  where: z.record(z.string(), WhereTest).optional(),
  window: Duration,
  operator: z.enum(OPERATORS),
  threshold: z.number(),
  recover: z.number().optional(),
  minSamples: z.int(),
  unit: z.string().optional(),
  groupBy: z.tuple([]).optional(),
});
export type ComparisonSpec = z.infer<typeof ComparisonSpec>;

const AllOf = z.strictObject({
  get all(): z.ZodArray<z.ZodType<ConditionSpec>> {
    return z.array(ConditionSpec);
  },
});
const AnyOf = z.strictObject({
  get any(): z.ZodArray<z.ZodType<ConditionSpec>> {
    return z.array(ConditionSpec);
  },
});
const Not = z.strictObject({
  get not(): z.ZodType<ConditionSpec> {
    return ConditionSpec;
  },
});

export type ConditionSpec = { all: ConditionSpec[] } | { any: ConditionSpec[] } | { not: ConditionSpec } | ComparisonSpec;
export const ConditionSpec: z.ZodType<ConditionSpec> = z.union([AllOf, AnyOf, Not, ComparisonSpec]);

/**
 * A rule in canonical words with every default filled in: as it is stored, shown and compiled. `parseRule` makes one from what people
 * write. Without `every` the tenant's schedule decides; without `remindEvery` nobody is reminded.
 */
export const RuleSpec = z.strictObject({
  key: z.string(),
  name: z.string(),
  severity: z.enum(SEVERITIES),
  condition: ConditionSpec,
  groupBy: z.array(z.string()),
  every: Duration.optional(),
  for: Duration,
  keepFiringFor: Duration,
  cooldown: Duration,
  evaluationDelay: Duration,
  noData: z.enum(['ok', 'keep', 'alert']),
  onError: z.enum(['keep', 'alert']),
  notify: z.array(z.strictObject({ channel: z.string(), minSeverity: z.enum(SEVERITIES) })),
  remindEvery: Duration.optional(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
});
export type RuleSpec = z.infer<typeof RuleSpec>;
