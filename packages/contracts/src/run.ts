import { z } from 'zod';
import { Id, Time } from './primitives.ts';

/** What evaluating now came to. */
export const EvaluatedNow = z.strictObject({
  runId: Id,
  slot: Time,
  /** `queued`: not ended in time; it will be. */
  status: z.enum(['queued', 'done', 'late', 'failed']),
  /** Null: the run has not ended, or failed. */
  rulesEvaluated: z.int().nullable(),
  /** Changes of alerts that are told. */
  eventsFired: z.int().nullable(),
});
export type EvaluatedNow = z.infer<typeof EvaluatedNow>;
