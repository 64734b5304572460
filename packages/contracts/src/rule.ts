import { HEALTHS, PHASES, RuleSpec, SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Id, sought, Time, TimeInput } from './primitives.ts';
import { ExportQuery, PageQuery } from './page.ts';

/** What looking at a rule once takes, on average over its last looks. */
export const RuleCost = z.strictObject({
  /** Of the processor. */
  ms: z.number(),
  /** Of the look at `at` alone. */
  lastMs: z.number(),
  /** Stored pieces of events that its windows touched. */
  segments: z.number(),
  /** Events that were read for it; what is kept from an earlier look is not read again. */
  events: z.number(),
  series: z.number(),
  at: Time,
});
export type RuleCost = z.infer<typeof RuleCost>;

export const CostOfRule = z.strictObject({ ruleId: Id, key: z.string(), name: z.string(), cost: RuleCost });
export type CostOfRule = z.infer<typeof CostOfRule>;

export const ListRuleCosts = z.strictObject(PageQuery);

/** What there is to say of a rule whatever its words are. */
const kept = {
  enabled: z.boolean(),
  /** The rule in one sentence. */
  description: z.string(),
  /** Of its worst series. */
  state: z.enum(PHASES),
  /** The pack it came with, `config` for the installation's own; null: people made it. */
  pack: z.string().nullable(),
  /** Null: not measured yet. */
  cost: RuleCost.nullable(),
  /** The slot whose failure was one too many; null: it is not in quarantine. The reason is in `healthReason`. */
  quarantinedAt: Time.nullable(),
  /** When it is tried again; in the past while it is. */
  quarantinedUntil: Time.nullable(),
  lastTriggeredAt: Time.nullable(),
  triggerCount: z.int(),
  /** Counts people's changes; the `ETag`. */
  version: z.int(),
  createdAt: Time,
  createdBy: z.string(),
  updatedAt: Time,
  updatedBy: z.string(),
};

/** A rule as shown: its canonical words, and how it does. What is written is checked by the rule parser. */
export const Rule = z.strictObject({
  id: Id,
  ...RuleSpec.shape,
  ...kept,
  health: z.enum(HEALTHS),
  healthReason: z.string().nullable(),
});
export type Rule = z.infer<typeof Rule>;

/** A rule whose stored words this version of the program does not understand. It is not evaluated; it can be replaced and deleted. */
export const UnreadableRule = z.strictObject({
  id: Id,
  key: z.string(),
  name: z.string(),
  /** Its words as they are stored, whatever they are. */
  stored: z.unknown(),
  ...kept,
  health: z.literal('error'),
  /** `rule_unreadable: ` and what is not understood. */
  healthReason: z.string(),
});
export type UnreadableRule = z.infer<typeof UnreadableRule>;

export const ShownRule = z.union([Rule, UnreadableRule]);
export type ShownRule = z.infer<typeof ShownRule>;

export const ListRules = z.strictObject({
  ...PageQuery,
  enabled: z.enum(['true', 'false']).optional(),
  severity: z.enum(SEVERITIES).optional(),
  state: z.enum(PHASES).optional(),
  health: z.enum(HEALTHS).optional(),
  /** Part of a key or name. */
  search: sought(200).optional(),
});

export const ListEvaluations = z.strictObject({
  ...PageQuery,
  ...ExportQuery,
  from: TimeInput.optional(),
  to: TimeInput.optional(),
});

/** What one look at one series found. `value` and `threshold` are those of the comparison that decided. */
export const Evaluation = z.strictObject({
  runId: Id,
  slot: Time,
  evaluatedAt: Time,
  /** The series' labels; empty without group-by. */
  series: z.record(z.string(), z.string()),
  value: z.number().nullable(),
  threshold: z.number().nullable(),
  operator: z.string().nullable(),
  triggered: z.boolean(),
  samples: z.int(),
  windowStart: Time,
  windowEnd: Time,
  durationMs: z.number().nonnegative(),
  outcome: z.string(),
  reason: z.string().nullable(),
  severity: z.string().nullable(),
  /** Where the threshold came from, or the value, as data and in words; null: the rule says the one, and the other was read. */
  origin: z.record(z.string(), z.unknown()).nullable(),
  why: z.string().nullable(),
  /** The rule's version that was looked at. */
  ruleVersion: z.int(),
});
export type Evaluation = z.infer<typeof Evaluation>;
