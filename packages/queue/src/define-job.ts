import type { z } from 'zod';

export type QueueName = 'evaluations' | 'notifications' | 'deliveries' | 'maintenance';

/** Everything both ends of a queue must agree on, in one place. */
export interface JobDefinition<Schema extends z.ZodType = z.ZodType> {
  queue: QueueName;
  payload: Schema;
  /** Same id, same work: while a job of this id is known to the queue, another is dropped. No `:`. */
  idOf: (payload: z.infer<Schema>) => string;
}

export type Payload<Job extends JobDefinition> = z.infer<Job['payload']>;

export const defineJob = <Schema extends z.ZodType>(job: JobDefinition<Schema>): JobDefinition<Schema> => job;
