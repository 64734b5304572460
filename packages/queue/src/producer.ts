import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { JobDefinition, Payload } from './define-job.ts';
import { reasonOf } from './queue-log.ts';
import { QueueUnavailableError } from './queue-unavailable.ts';

export interface SendOptions {
  /** Not before this many milliseconds have passed. */
  delayMs?: number;
  /**
   * Send even if a job of this id is known. Normally such a hint is dropped, also while the known one is delayed or
   * active in a process that has just died; a sweep, and a person who presses "retry now", mean it.
   */
  evenIfKnown?: boolean;
}

export interface Producer<Job extends JobDefinition> {
  /** Rejects with QueueUnavailableError, fast, when the server is away; with ZodError when the payload is not one (a bug). */
  send: (payload: Payload<Job> | readonly Payload<Job>[], options?: SendOptions) => Promise<void>;
}

/** A finished job that were kept would swallow the next hint of its id, so none is. A failed one is the sweep's to send again. */
const HINT = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

/** One statement of so many stays far below any time-out. */
const BULK = 1_000;

export function createProducer<Job extends JobDefinition>(job: Job, queue: Queue): Producer<Job> {
  return {
    async send(input, options = {}) {
      const payloads = (Array.isArray(input) ? input : [input]).map((payload) => job.payload.parse(payload) as Payload<Job>);
      if (payloads.length === 0) return;
      const hints = payloads.map((payload) => ({
        name: job.queue,
        data: payload,
        opts: {
          ...HINT,
          jobId: options.evenIfKnown === true ? `${job.idOf(payload)}-${randomUUID()}` : job.idOf(payload),
          ...(options.delayMs === undefined ? {} : { delay: Math.max(0, options.delayMs) }),
        },
      }));
      try {
        const only = hints.length === 1 ? hints[0] : undefined;
        if (only !== undefined) await queue.add(only.name, only.data, only.opts);
        else for (let at = 0; at < hints.length; at += BULK) await queue.addBulk(hints.slice(at, at + BULK));
      } catch (error) {
        throw new QueueUnavailableError(`${job.queue}: ${reasonOf(error)}`, { cause: error });
      }
    },
  };
}
