import type { Processor, Queue, Worker } from 'bullmq';

export type QueueBackend = 'redis' | 'postgres';

/** What differs between Redis and PostgreSQL; all else in this package is written once on top of it. */
export interface QueueServer {
  backend: QueueBackend;
  openQueue: (name: string) => Queue;
  /** Not running yet. */
  openWorker: (name: string, process: Processor, concurrency: number) => Worker;
  /** Rejects when the server does not answer within a few seconds. */
  ping: () => Promise<void>;
  /** Undoes what a worker with a wrong clock left behind; called now and then while anything consumes. */
  repairClocks: () => Promise<void>;
  /** Ends the shared connections. Queues and workers are closed before. */
  close: () => Promise<void>;
}

/**
 * The same for every worker everywhere: on Redis the first worker's stalled interval binds all others. Work of a
 * process killed without warning is taken up again after the lock (6 s) and one or two checks.
 */
export const WORKER_MANNERS = {
  autorun: false,
  lockDuration: 6_000,
  stalledInterval: 3_000,
  /** Seconds an idle worker blocks before it looks by itself: the longest a lost wake-up can cost. */
  drainDelay: 5,
  /** How soon a worker asks again after its server was away. */
  runRetryDelay: 1_000,
  /** Attempts are counted in the rows the jobs point at, so the queue itself never gives up on one. */
  maxStalledCount: 1_000_000,
} as const;
