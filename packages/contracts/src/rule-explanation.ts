import { PHASES } from '@tocsin/domain';
import { z } from 'zod';
import { Delivery, DeliveryAttempt } from './delivery.ts';
import { Id, Time, TimeInput } from './primitives.ts';
import { Evaluation } from './rule.ts';
import { RuleTrace } from './rule-trace.ts';

export const ExplainRule = z.strictObject({
  /** Default: the newest slot at which the rule was evaluated. */
  slot: TimeInput.optional(),
  /** Of which series: its labels as JSON, or some of them as `model=gpt-4o,env=prod`. */
  series: z.string().min(1).max(4_000).optional(),
});

const { runId: _run, slot: _slot, series: _series, ruleVersion: _version, ...recordedParts } = Evaluation.shape;

/** One series at the slot. */
const ExplainedSeries = z.strictObject({
  labels: z.record(z.string(), z.string()),
  /** In plain words. */
  text: z.string(),
  /** As it was recorded. */
  recorded: z.strictObject(recordedParts),
  /** The same window, read again; null: it cannot be. `verdict` is that of the whole condition. */
  now: z
    .strictObject({
      value: z.number().nullable(),
      threshold: z.number().nullable(),
      samples: z.number(),
      verdict: z.string(),
      origin: z.record(z.string(), z.unknown()).nullable(),
      why: z.string().nullable(),
    })
    .nullable(),
  /** What is seen now beside what was: events that came late, or are not kept any more. Null: the same, or it cannot be read. */
  difference: z.strictObject({ samples: z.number(), value: z.number().nullable(), isVerdictOther: z.boolean() }).nullable(),
  /** Null: it cannot be told from what is recorded. */
  state: z.strictObject({ before: z.enum(PHASES).nullable(), after: z.enum(PHASES).nullable() }),
  /** The condition, part by part, of the window as it is read now; null: it cannot be. */
  trace: RuleTrace.nullable(),
  /** What was told at this slot, and how it went. */
  told: z.array(
    z.strictObject({
      triggerId: Id,
      alertId: Id,
      kind: z.string(),
      severity: z.string(),
      status: z.string(),
      /** Why nobody hears of it. */
      reason: z.string().nullable(),
      deliveries: z.array(z.strictObject({ ...Delivery.shape, attemptLog: z.array(DeliveryAttempt) })),
    }),
  ),
});

/** Why a slot of a rule ended as it did. */
export const RuleExplanation = z.strictObject({
  rule: z.strictObject({ id: Id, key: z.string(), name: z.string() }),
  /** Null: the rule was never evaluated, as far as is kept. */
  slot: Time.nullable(),
  evaluated: z.boolean(),
  /** In plain words; of each series its own. */
  text: z.string(),
  runId: Id.nullable(),
  /** The version that was evaluated, and the one there is by now. */
  ruleVersion: z.int().nullable(),
  currentVersion: z.int(),
  /** The evaluated slots beside this one. */
  nearest: z.strictObject({ before: Time.nullable(), after: Time.nullable() }),
  /** The slots that were skipped with this one; null: it was not skipped. */
  skipped: z.strictObject({ from: Time, to: Time, count: z.int(), reason: z.string().nullable() }).nullable(),
  /** Those of which there is most to say, first. */
  series: z.array(ExplainedSeries),
  /** Series of the slot that are not among them. */
  more: z.int(),
});
export type RuleExplanation = z.infer<typeof RuleExplanation>;
