import type { z } from 'zod';

/** Everything both ends of a queue must agree on, in one place. A queue has one kind of job. */
export interface JobDefinition<Schema extends z.ZodType = z.ZodType, Queue extends string = string> {
  queue: Queue;
  payload: Schema;
  /** Same id, same work: while a job of this id is known to the queue, another is dropped. No `:`. */
  idOf: (payload: z.infer<Schema>) => string;
}

export type Payload<Job extends JobDefinition> = z.infer<Job['payload']>;

export const defineJob = <Schema extends z.ZodType, Queue extends string>(job: JobDefinition<Schema, Queue>): typeof job => job;
