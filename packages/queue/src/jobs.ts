import { z } from 'zod';
import { defineJob, type JobDefinition } from './define-job.ts';

export const RUNS_PER_HINT = 25;

/** Runs are waiting to be evaluated. A job costs the queue as much as a run costs the evaluator, so many share one. */
export const evaluateRuns = defineJob({
  queue: 'evaluations',
  payload: z.strictObject({
    runs: z
      .array(z.strictObject({ tenantId: z.uuid(), runId: z.uuid() }))
      .min(1)
      .max(RUNS_PER_HINT),
  }),
  idOf: ({ runs }) => `runs-${runs[0]?.runId}-${runs.length}`,
});

/** A trigger is waiting to become deliveries. */
export const dispatchTrigger = defineJob({
  queue: 'notifications',
  payload: z.strictObject({ tenantId: z.uuid(), triggerId: z.uuid() }),
  idOf: ({ triggerId }) => `trigger-${triggerId}`,
});

/** A delivery is due for an attempt. */
export const deliver = defineJob({
  queue: 'deliveries',
  payload: z.strictObject({ tenantId: z.uuid(), deliveryId: z.uuid() }),
  idOf: ({ deliveryId }) => `delivery-${deliveryId}`,
});

/** House-keeping, for the tenants named or, without any, for the whole installation. */
export const maintain = defineJob({
  queue: 'maintenance',
  payload: z.strictObject({ task: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/), tenantIds: z.array(z.uuid()).max(1_000).optional() }),
  idOf: ({ task, tenantIds }) =>
    tenantIds?.[0] === undefined ? `maintain-${task}` : `maintain-${task}-${tenantIds[0]}-${tenantIds.length}`,
});

/** Every job, so every queue, there is: producers and consumers take no other, and each process opens, shows and measures them all. */
const JOBS = [evaluateRuns, dispatchTrigger, deliver, maintain] as const;

export type QueueName = (typeof JOBS)[number]['queue'];
export type Job = JobDefinition<z.ZodType, QueueName>;
export const QUEUE_NAMES: readonly QueueName[] = JOBS.map(({ queue }) => queue);
