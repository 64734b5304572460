import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { type Consumer, type Handle, startConsumer } from './consumer.ts';
import { QUEUE_NAMES, type Job, type QueueName } from './jobs.ts';
import { openPostgresServer } from './postgres-server.ts';
import { type Producer, createProducer } from './producer.ts';
import { type QueueLog, quietErrorLog, reasonOf } from './queue-log.ts';
import type { QueueBackend, QueueServer } from './queue-server.ts';
import { QueueUnavailableError } from './queue-unavailable.ts';
import { openRedisServer } from './redis-server.ts';
import { within } from './within.ts';

export interface QueueDepth {
  waiting: number;
  active: number;
  delayed: number;
  /** How long the oldest waiting hint has waited; null when none does. */
  oldestWaitingMs: number | null;
}

/** The process's door to its queues. A job is a hint that carries ids and may vanish: the rows in PostgreSQL are the truth. */
export interface Queues {
  backend: QueueBackend;
  producer: <J extends Job>(job: J) => Producer<J>;
  /** Starts at once. `concurrency` hints of this consumer are handled at a time. */
  consumer: <J extends Job>(job: J, options: { concurrency: number }, handle: Handle<J>) => Consumer;
  /** BullMQ's own objects, for Bull Board alone. */
  forBoard: () => Queue[];
  /** Rejects when the server does not answer. */
  ping: () => Promise<void>;
  depth: () => Promise<Record<QueueName, QueueDepth>>;
  /** Closes consumers not closed before, then everything. */
  close: (deadlineMs?: number) => Promise<void>;
}

export interface OpenQueuesOptions {
  /** `redis://`, `rediss://`, `postgres://` or `postgresql://`. */
  url: string;
  logger: QueueLog;
  /** How long to wait for a server that is not there yet; default 30 s. */
  waitMs?: number;
}

const RETRY_MS = 500;
const CLOSE_MS = 3_000;

/** Waits for the server. Throws QueueUnavailableError when it stays away, is not migrated, or would evict jobs. */
export async function openQueues({ url, logger, waitMs = 30_000 }: OpenQueuesOptions): Promise<Queues> {
  const onError = quietErrorLog(logger);
  const server = await waitForServer(url, onError, waitMs);
  const queues = new Map<QueueName, Queue>();
  for (const name of QUEUE_NAMES) {
    const queue = server.openQueue(name);
    // The connection is shared, so its troubles come from every queue at once and are one.
    queue.on('error', (error) => onError(server.backend, error));
    queues.set(name, queue);
  }
  const all = [...queues.values()];
  const consumers = new Set<Consumer>();
  let closed: Promise<void> | null = null;
  const close = async (deadlineMs?: number): Promise<void> => {
    await Promise.all([...consumers].map((consumer) => consumer.close(deadlineMs)));
    await Promise.allSettled(all.map((queue) => queue.close()));
    // A dead line never acknowledges the goodbye.
    await within(server.close(), CLOSE_MS);
  };
  try {
    await Promise.all(all.map((queue) => queue.waitUntilReady()));
  } catch (error) {
    await close();
    throw new QueueUnavailableError(`queues on ${server.backend} cannot be used: ${reasonOf(error)}`, { cause: error });
  }

  return {
    backend: server.backend,
    producer: (job) => createProducer(job, queueNamed(queues, job.queue)),
    consumer: (job, { concurrency }, handle) => {
      const consumer = startConsumer({ server, job, concurrency, handle, log: logger, onError });
      consumers.add(consumer);
      return consumer;
    },
    forBoard: () => all,
    ping: () => server.ping(),
    depth: async () => {
      const depths = await Promise.all(all.map(depthOf));
      return Object.fromEntries(QUEUE_NAMES.map((name, index) => [name, depths[index]])) as Record<QueueName, QueueDepth>;
    },
    close: (deadlineMs) => (closed ??= close(deadlineMs)),
  };
}

async function waitForServer(url: string, onError: (source: string, error: unknown) => void, waitMs: number): Promise<QueueServer> {
  const open = openerOf(url);
  const giveUpAtMs = performance.now() + waitMs;
  for (;;) {
    try {
      return await open(url, onError);
    } catch (error) {
      if (error instanceof QueueUnavailableError) throw error;
      if (performance.now() >= giveUpAtMs)
        throw new QueueUnavailableError(`the queue's server does not answer: ${reasonOf(error)}`, { cause: error });
      onError('queue server', error);
      await sleep(RETRY_MS);
    }
  }
}

function openerOf(url: string): typeof openRedisServer {
  if (/^rediss?:\/\//.test(url)) return openRedisServer;
  if (/^postgres(ql)?:\/\//.test(url)) return openPostgresServer;
  throw new QueueUnavailableError('the queue URL must begin with redis://, rediss://, postgres:// or postgresql://');
}

function queueNamed(queues: Map<QueueName, Queue>, name: QueueName): Queue {
  const queue = queues.get(name);
  if (queue === undefined) throw new Error(`no queue named ${name}`);
  return queue;
}

async function depthOf(queue: Queue): Promise<QueueDepth> {
  const [counts, oldest] = await Promise.all([queue.getJobCounts('waiting', 'active', 'delayed'), queue.getWaiting(0, 0)]);
  return {
    waiting: counts['waiting'] ?? 0,
    active: counts['active'] ?? 0,
    delayed: counts['delayed'] ?? 0,
    oldestWaitingMs: oldest[0] === undefined ? null : Math.max(0, Date.now() - oldest[0].timestamp),
  };
}
