import { z } from 'zod';
import { AGGREGATIONS } from './aggregations.ts';
import { OPERATORS } from './metric-query.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import { SEVERITIES } from './severity.ts';
import { RecoverSpec, ThresholdSpec } from './threshold-spec.ts';

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

/** What is read of the events of a window, without the window. */
const queryFields = {
  /** Of the catalogue, or the key of a saved metric, whose unit is then in `unit`. */
  metric: z.string().optional(),
  measure: z.string().optional(),
  dim: z.string().optional(),
  name: z.string().optional(),
  aggregation: z.enum(AGGREGATIONS),
  where: z.record(z.string(), WhereTest).optional(),
  unit: z.string().optional(),
};

export const QueryPartSpec = z.strictObject(queryFields);
export type QueryPartSpec = z.infer<typeof QueryPartSpec>;

/** What every comparison with a window says beside its query. `window` is a duration, or a calendar period in `timeZone`. */
const comparedFields = {
  window: z.string(),
  timeZone: z.string().optional(),
  operator: z.enum(OPERATORS),
  threshold: ThresholdSpec,
  recover: RecoverSpec.optional(),
  minSamples: z.int(),
  groupBy: z.tuple([]).optional(),
};

/** With `of`, the metric `anomaly_severity` is that of another query's value instead of a measure that programs send. */
export const ComparisonSpec = z.strictObject({
  ...queryFields,
  ...comparedFields,
  of: QueryPartSpec.optional(),
  lookback: Duration.optional(),
});
export type ComparisonSpec = z.infer<typeof ComparisonSpec>;

/** One query as a percentage of another; `unit: ratio` makes it a fraction. `minSamples` is that of the denominator. */
export const RatioSpec = z.strictObject({
  numerator: QueryPartSpec,
  denominator: QueryPartSpec,
  unit: z.enum(['percent', 'ratio']),
  bound: z.enum(['none', 'wilson95']),
  ...comparedFields,
});
export type RatioSpec = z.infer<typeof RatioSpec>;

/** Nothing has come for so long. */
export const AbsenceSpec = z.strictObject({
  absentFor: Duration,
  metric: z.string().optional(),
  measure: z.string().optional(),
  dim: z.string().optional(),
  name: z.string().optional(),
  where: z.record(z.string(), WhereTest).optional(),
});
export type AbsenceSpec = z.infer<typeof AbsenceSpec>;

export const RULE_STANDINGS = ['firing', 'pending', 'ok', 'no_data'] as const;
/** How another rule stands; any of its series will do, and `ok` is that none fires or is about to. */
export type RuleStanding = (typeof RULE_STANDINGS)[number];

/** Another rule of the tenant, by its key. */
export const RuleReferenceSpec = z.strictObject({ rule: z.string(), is: z.enum(RULE_STANDINGS) });
export type RuleReferenceSpec = z.infer<typeof RuleReferenceSpec>;

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

/** The leaves of a condition. */
export type LeafSpec = ComparisonSpec | RatioSpec | AbsenceSpec | RuleReferenceSpec;
export type ConditionSpec = { all: ConditionSpec[] } | { any: ConditionSpec[] } | { not: ConditionSpec } | LeafSpec;
export const ConditionSpec: z.ZodType<ConditionSpec> = z.union([
  AllOf,
  AnyOf,
  Not,
  ComparisonSpec,
  RatioSpec,
  AbsenceSpec,
  RuleReferenceSpec,
]);

/** Every leaf, in the order written. */
export function leavesOf(spec: ConditionSpec): LeafSpec[] {
  if ('all' in spec) return spec.all.flatMap(leavesOf);
  if ('any' in spec) return spec.any.flatMap(leavesOf);
  return 'not' in spec ? leavesOf(spec.not) : [spec];
}

export const RULE_DEFAULTS = {
  newSeriesGrace: '60s',
  flapping: { changes: 6, within: '30m' },
  maxOpenAlerts: 1_000,
  maxSeries: RULE_BOUNDS.seriesPerRule,
  mode: 'live',
  evaluate: 'schedule',
} as const;

const Flapping = z.strictObject({ changes: z.int(), within: Duration });

/**
 * A rule in canonical words with every default filled in: as it is stored, shown and compiled. `parseRule` makes one from what people
 * write. Without `every` the tenant's schedule decides; without `remindEvery` nobody is reminded.
 */
export const RuleSpec = z.strictObject({
  key: z.string(),
  name: z.string(),
  /** Absent where the condition has levels or a budget, which say how bad it is. */
  severity: z.enum(SEVERITIES).optional(),
  condition: ConditionSpec,
  groupBy: z.array(z.string()),
  every: Duration.optional(),
  for: Duration,
  keepFiringFor: Duration,
  cooldown: Duration,
  /** Or `auto`: as late as its events usually are. */
  evaluationDelay: Duration,
  // What came later has its default in rules that were stored before.
  newSeriesGrace: Duration.default(RULE_DEFAULTS.newSeriesGrace),
  flapping: z.union([Flapping, z.literal('off')]).default(RULE_DEFAULTS.flapping),
  maxOpenAlerts: z.int().default(RULE_DEFAULTS.maxOpenAlerts),
  maxSeries: z.int().default(RULE_DEFAULTS.maxSeries),
  mode: z.enum(['live', 'shadow']).default(RULE_DEFAULTS.mode),
  /** `arrival`: at its slots, and as soon as there are events it looks at. */
  evaluate: z.enum(['schedule', 'arrival']).default(RULE_DEFAULTS.evaluate),
  noData: z.enum(['ok', 'keep', 'alert']),
  onError: z.enum(['keep', 'alert']),
  notify: z.array(z.strictObject({ channel: z.string(), minSeverity: z.enum(SEVERITIES) })),
  remindEvery: Duration.optional(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
});
export type RuleSpec = z.infer<typeof RuleSpec>;
