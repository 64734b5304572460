import { Queue, Worker, createRedisBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { type QueueServer, WORKER_MANNERS } from './queue-server.ts';
import { QueueUnavailableError } from './queue-unavailable.ts';

const ANSWER_TIMEOUT_MS = 5_000;
/** Above the 10 s that BullMQ lets a blocking read last. */
const BLOCKED_TIMEOUT_MS = 12_000;

interface ConnectionManners {
  maxRetriesPerRequest: number | null;
  /** A connection silent for so long while it owes an answer is dead, whatever TCP thinks; it is made anew. */
  socketTimeout: number;
  enableOfflineQueue?: boolean;
  autoResendUnfulfilledCommands?: boolean;
}

/**
 * Connects to `redis://` or `rediss://`. `?prefix=` in the URL names the keys' prefix (default `tocsin`), so that
 * several installations can share one server. Throws QueueUnavailableError when the server could evict jobs.
 */
export async function openRedisServer(address: string, onError: (source: string, error: unknown) => void): Promise<QueueServer> {
  const { url, prefix } = splitPrefix(address);
  const connect = (options: ConnectionManners): Redis => {
    const client = new Redis(url, {
      ...options,
      lazyConnect: true,
      connectTimeout: ANSWER_TIMEOUT_MS,
      keepAlive: 10_000,
      retryStrategy: (times) => Math.min(times * 100, 2_000),
      // After a fail-over the old primary answers READONLY for ever; 2 means reconnect and send again.
      reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
    });
    client.on('error', (error) => onError('redis', error));
    return client;
  };
  // A producer hears at once that the server is away; a consumer waits for it.
  const producing = connect({
    socketTimeout: ANSWER_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  const consuming = connect({ socketTimeout: BLOCKED_TIMEOUT_MS, maxRetriesPerRequest: null });
  const close = async (): Promise<void> => {
    for (const client of [producing, consuming]) client.disconnect();
  };
  try {
    let reason: unknown;
    producing.once('error', (error) => (reason = error));
    // The rejection of connect() says only that it failed; the event before it says why.
    await producing.connect().catch((error: unknown) => Promise.reject(reason ?? error));
    await refuseEviction(producing);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    backend: 'redis',
    openQueue: (name) =>
      new Queue(
        name,
        { connection: producing, prefix, skipWaitingForReady: true, streams: { events: { maxLen: 100 } } },
        createRedisBackend,
      ),
    openWorker: (name, process, concurrency) =>
      new Worker(name, process, { ...WORKER_MANNERS, connection: consuming, prefix, concurrency }, createRedisBackend),
    ping: async () => {
      await producing.ping();
    },
    // Locks and the stalled check expire by the server's own clock here.
    repairClocks: async () => undefined,
    close,
  };
}

function splitPrefix(address: string): { url: string; prefix: string } {
  const url = new URL(address);
  const prefix = url.searchParams.get('prefix') ?? 'tocsin';
  url.searchParams.delete('prefix');
  return { url: url.href, prefix };
}

async function refuseEviction(client: Redis): Promise<void> {
  const memory = await client.info('memory');
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    throw new QueueUnavailableError(`Redis would evict jobs under memory pressure: maxmemory-policy is ${policy}, it must be noeviction`);
  }
}
