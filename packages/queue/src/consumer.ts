import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, type Job, UnrecoverableError, type Worker } from 'bullmq';
import type { JobDefinition, Payload } from './define-job.ts';
import { type QueueLog, reasonOf } from './queue-log.ts';
import type { QueueServer } from './queue-server.ts';
import { within } from './within.ts';

/** The hint is wanted again later, which counts as no failure; with another payload where part of the work is done. */
interface Again<J extends JobDefinition> {
  againInMs: number;
  payload?: Payload<J>;
}

/** Do the work a hint points at. */
export type Handle<J extends JobDefinition> = (payload: Payload<J>, signal: AbortSignal) => Promise<void | Again<J>>;

export interface Consumer {
  /** Resolves once hints are being taken. */
  ready: () => Promise<void>;
  /** Takes no more, lets what runs finish within the deadline (default 20 s), then aborts its signal and leaves it behind. */
  close: (deadlineMs?: number) => Promise<void>;
}

const START_RETRY_MS = 1_000;
const CLOCK_REPAIR_MS = 15_000;
const ABORT_GRACE_MS = 1_000;

export interface ConsumerOptions<J extends JobDefinition> {
  server: QueueServer;
  job: J;
  concurrency: number;
  handle: Handle<J>;
  log: QueueLog;
  onError: (source: string, error: unknown) => void;
}

export function startConsumer<J extends JobDefinition>(options: ConsumerOptions<J>): Consumer {
  const { server, job, concurrency, onError } = options;
  const closing = new AbortController();
  let worker: Worker | null = null;

  const start = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const candidate = server.openWorker(job.queue, processorOf(options), concurrency);
      candidate.on('error', (error) => onError(`consumer ${job.queue}`, error));
      try {
        // A worker that runs before it is ready, on PostgreSQL, remembers a failed connection for ever and spins on it.
        await candidate.waitUntilReady();
        candidate.run().catch((error: unknown) => onError(`consumer ${job.queue}`, error));
        worker = candidate;
        return;
      } catch (error) {
        onError(`consumer ${job.queue}`, error);
        await within(candidate.close(true), ABORT_GRACE_MS);
        await sleep(START_RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  };

  const keepClocksRight = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await server.repairClocks().catch((error: unknown) => onError(`clocks ${job.queue}`, error));
      await sleep(CLOCK_REPAIR_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };

  const started = start();
  const repairing = started.then(keepClocksRight);
  let closed: Promise<void> | null = null;
  const close = async (deadlineMs: number): Promise<void> => {
    closing.abort();
    await started;
    if (worker !== null) await drain(worker, deadlineMs, onError);
    await repairing;
  };
  return {
    ready: () => started,
    close: (deadlineMs = 20_000) => (closed ??= close(deadlineMs)),
  };
}

function processorOf<J extends JobDefinition>({ job, handle, log }: ConsumerOptions<J>) {
  // BullMQ makes the abort signal only for a processor that declares three parameters.
  return async (raw: Job, token: string | undefined, signal?: AbortSignal): Promise<void> => {
    const parsed = job.payload.safeParse(raw.data);
    if (!parsed.success) {
      log.error(
        { queue: job.queue, jobId: raw.id, issues: parsed.error.issues.map(({ path, code }) => ({ path, code })) },
        'malformed job dropped',
      );
      throw new UnrecoverableError('malformed payload');
    }
    const outcome = await handle(parsed.data as Payload<J>, signal ?? new AbortController().signal).catch((error: unknown) => {
      log.error({ queue: job.queue, jobId: raw.id, err: error }, 'job failed; the sweep will send it again');
      throw error;
    });
    if (outcome !== undefined) {
      if (outcome.payload !== undefined) await raw.updateData(outcome.payload);
      await raw.moveToDelayed(Date.now() + Math.max(0, outcome.againInMs), token);
      throw new DelayedError();
    }
  };
}

/** `worker.close()` waits for its jobs and its server, either of which can take for ever. */
async function drain(worker: Worker, deadlineMs: number, onError: (source: string, error: unknown) => void): Promise<void> {
  const finished = worker.close();
  if (await within(finished, deadlineMs)) return;
  onError(`consumer ${worker.name}`, new Error('jobs still running at the deadline are left to another process'));
  worker.cancelAllJobs('shutting down');
  if (await within(finished, ABORT_GRACE_MS)) return;
  await discard(worker, onError);
}

async function discard(worker: Worker, onError: (source: string, error: unknown) => void): Promise<void> {
  const gone = worker
    .disconnect()
    .catch((error: unknown) => onError(`consumer ${worker.name}`, new Error(`disconnect: ${reasonOf(error)}`)));
  await within(gone, ABORT_GRACE_MS);
}
