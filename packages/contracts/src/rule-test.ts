import { HEALTHS, PHASES, SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Time } from './primitives.ts';
import { RuleTrace, Window } from './rule-trace.ts';

/** A number as a query has it. */
const numberText = z
  .string()
  .regex(/^-?\d{1,300}(\.\d{1,300})?(e[+-]?\d{1,3})?$/i, 'must be a number')
  .transform(Number)
  .refine(Number.isFinite, 'must be finite');

export const TestRule = z.strictObject({
  /** A made-up reading to walk the rule with. */
  simulate: numberText.optional(),
  /** Of which comparison it is, by its place in the rule; the first. */
  comparison: z
    .string()
    .regex(/^\d{1,4}$/, 'must be the place of a comparison: 0, 1, …')
    .transform(Number)
    .optional(),
});

const Change = z.strictObject({
  kind: z.enum(['fired', 'no_data', 'escalated', 'resolved']),
  /** Null: resolved. */
  severity: z.enum(SEVERITIES).nullable(),
  /** Why it ended; null: it did not. */
  resolveReason: z.string().nullable(),
});

/** What would become of a series at this slot; `change` null: nothing anybody hears of. */
const WouldBe = z.strictObject({ phaseBefore: z.enum(PHASES), phase: z.enum(PHASES), reason: z.string(), change: Change.nullable() });

const Labels = z.record(z.string(), z.string());

const Simulation = z.strictObject({
  comparison: z.int(),
  value: z.number(),
  labels: Labels,
  /** The first slot, and every one that ends otherwise than the one before it. `afterMs` counts from the first. */
  steps: z.array(
    z.strictObject({
      at: Time,
      afterMs: z.number(),
      value: z.number().nullable(),
      verdict: z.string(),
      phase: z.enum(PHASES),
      reason: z.string(),
      change: Change.nullable(),
    }),
  ),
  /** What each channel of `notify` would get, in the order it would hear of it. */
  messages: z.array(
    z.strictObject({
      kind: z.string(),
      channel: z.string(),
      /** Null: there is no channel of that key. */
      channelKind: z.string().nullable(),
      /** Why nothing would be sent; null: it would be. */
      suppressed: z.string().nullable(),
      /** As it would be sent. */
      body: z.string().nullable(),
    }),
  ),
});

/** What a rule finds right now. Nothing of it is kept, and nobody is told. */
export const RuleTest = z.strictObject({
  at: Time,
  /** The rule's own: of its first comparison. */
  window: Window.nullable(),
  /** Null: a draft. */
  ruleVersion: z.int().nullable(),
  health: z.enum(HEALTHS),
  healthReason: z.string().nullable(),
  /** The worst hundred first. */
  series: z.array(
    z.strictObject({ labels: Labels, verdict: z.string(), severity: z.enum(SEVERITIES), wouldBe: WouldBe, trace: RuleTrace }),
  ),
  /** All series, by what the condition says of them; `untraced` are not among `series`, `dropped` were not judged at all. */
  counts: z.strictObject({
    breach: z.int(),
    clear: z.int(),
    unknown: z.int(),
    not_ready: z.int(),
    failed: z.int(),
    untraced: z.int(),
    dropped: z.int(),
  }),
  /** Queries that failed. */
  errors: z.array(z.strictObject({ code: z.string(), message: z.string() })),
  simulation: Simulation.nullable(),
});
export type RuleTest = z.infer<typeof RuleTest>;
