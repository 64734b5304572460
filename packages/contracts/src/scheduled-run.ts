import { z } from 'zod';
import { Id } from './primitives.ts';

/** What running all due tenants came to. */
export const ScheduledRun = z.strictObject({
  success: z.literal(true),
  /** Tenants that were evaluated. */
  evaluated: z.int(),
  totalEventsFired: z.int(),
  results: z.array(
    z.strictObject({ tenantId: Id, rulesEvaluated: z.int(), eventsFired: z.int(), error: z.literal('evaluation_failed').optional() }),
  ),
  /** Tenants whose run has not ended yet, and will. */
  queued: z.array(Id),
});
export type ScheduledRun = z.infer<typeof ScheduledRun>;
