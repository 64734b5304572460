import { ESCALATION_BOUNDS, Matchers } from '@tocsin/domain';
import { z } from 'zod';
import { Key, line, Time } from './primitives.ts';

/** Of alerts that match several the policy with the lowest position holds; among equals the first by key. */
const Position = z.int().min(0).max(10_000);

/** After how long without anybody who has it, `5m`, from the alert's opening, who is told, by keys of channels. */
const Step = z.strictObject({ after: z.string().max(20), channels: z.array(Key).min(1).max(ESCALATION_BOUNDS.channelsPerStep) });
const Steps = z.array(Step).min(1).max(ESCALATION_BOUNDS.steps);

/** The last step again, so often. */
const Repeat = z.strictObject({ every: z.string().max(20), times: z.int().min(1).max(ESCALATION_BOUNDS.repeats) });

const fields = {
  name: line(200),
  position: Position.default(100),
  /** Empty: every alert. */
  matchers: Matchers.default([]),
  steps: Steps,
  repeat: Repeat.nullable().default(null),
};

export const CreateEscalationPolicy = z.strictObject({ key: Key, ...fields });

/** The whole policy; its key is for ever. */
export const PutEscalationPolicy = z.strictObject(fields);
export type PutEscalationPolicy = z.infer<typeof PutEscalationPolicy>;

export const EscalationPolicy = z.strictObject({
  key: Key,
  name: z.string(),
  position: Position,
  matchers: Matchers,
  steps: Steps,
  /** Null: the last step is told once. */
  repeat: Repeat.nullable(),
  version: z.int(),
  createdAt: Time,
  createdBy: z.string(),
  updatedAt: Time,
  updatedBy: z.string(),
});
export type EscalationPolicy = z.infer<typeof EscalationPolicy>;

/** All there are, at most 100, in the order in which they are tried. */
export const EscalationPolicyList = z.strictObject({ data: z.array(EscalationPolicy) });
export type EscalationPolicyList = z.infer<typeof EscalationPolicyList>;
