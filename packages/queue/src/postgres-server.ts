import {
  type JobProgress,
  type PgPool,
  type PostgresConnectionOptions,
  type PostgresQueueBackend,
  Queue,
  Worker,
  createPostgresBackend,
} from 'bullmq';
import pg from 'pg';
import { QUEUE_NAMES } from './jobs.ts';
import { type QueueServer, WORKER_MANNERS } from './queue-server.ts';
import { workersPool } from './workers-pool.ts';

/** Queries take turns on these; every consumer, of which a queue has one, holds one more for its LISTEN. */
const QUERY_CONNECTIONS = 4;
const QUERY_TIMEOUT_MS = 5_000;

/** Connects to the schema `bullmq` of a `postgres://` database, as the role that owns it. */
export async function openPostgresServer(url: string, onError: (source: string, error: unknown) => void): Promise<QueueServer> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'tocsin-queue',
    options: '-c search_path=bullmq',
    max: QUERY_CONNECTIONS + QUEUE_NAMES.length,
    connectionTimeoutMillis: 5_000,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // Every queue and worker listens to the one pool.
  pool.setMaxListeners(0);
  pool.on('error', (error) => onError('postgres', error));
  // While a client is out of the pool nobody else listens, and an error that nobody hears ends the process.
  pool.on('connect', (client) => client.on('error', (error) => onError('postgres', error)));
  const open = new Set<pg.PoolClient>();
  pool.on('connect', (client) => open.add(client)).on('remove', (client) => open.delete(client));
  try {
    // BullMQ remembers a failed first connection for ever, so nothing of it is made before the server answers.
    await pool.query('select 1');
  } catch (error) {
    await pool.end();
    throw error;
  }
  const connection = asPgPool(pool);
  const patient = asPgPool(workersPool(pool));
  return {
    backend: 'postgres',
    openQueue: (name) => asDefault(new Queue(name, { connection, streams: { events: { maxLen: 100 } } }, createPostgresBackend)),
    openWorker: (name, process, concurrency) =>
      asDefault(new Worker(name, process, { ...WORKER_MANNERS, connection: patient, concurrency }, restlessBackend)),
    ping: async () => {
      await pool.query('select 1');
    },
    repairClocks: () => repairClocks(pool),
    // A pool has ended once it has said goodbye; a server stopped before its answer has something to complain about.
    close: async () => {
      await pool.end();
      while (open.size > 0) await new Promise((resolve) => pool.once('remove', resolve));
    },
  };
}

/**
 * BullMQ writes the *worker's* time into the throttle of its stalled check and into locks. One worker whose clock is
 * a day ahead would switch crash recovery off for a day; what lies in the database's future is pulled back.
 */
async function repairClocks(pool: pg.Pool): Promise<void> {
  await pool.query(
    `with now as (select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms),
          checks as (delete from meta using now where field = 'stalled-check' and value::bigint > now.ms + $1)
     update job set locked_until_ms = now.ms + $2 from now where state = 'active' and locked_until_ms > now.ms + 2 * $2`,
    [2 * WORKER_MANNERS.stalledInterval, WORKER_MANNERS.lockDuration],
  );
}

/**
 * By itself BullMQ trusts its LISTEN for up to an hour, after an error or while all jobs are delayed. A connection that
 * died without a word hears nothing, so a worker looks for itself every few seconds.
 */
const restlessBackend: typeof createPostgresBackend = (...args) =>
  Object.defineProperty(createPostgresBackend(...args), 'maximumBlockTimeout', { value: WORKER_MANNERS.drainDelay });

/** BullMQ takes a `pg.Pool` as it is; only the way `@types/pg` spells its `on` differs from BullMQ's own description of it. */
const asPgPool = (pool: pg.Pool): PgPool => pool as unknown as PgPool;

/** The classes are generic in their connection option, which nothing reads after construction. */
function asDefault(
  queue: Queue<unknown, unknown, string, unknown, unknown, string, PostgresQueueBackend, PostgresConnectionOptions>,
): Queue;
function asDefault(worker: Worker<unknown, unknown, string, PostgresQueueBackend, JobProgress, PostgresConnectionOptions>): Worker;
function asDefault(made: unknown): unknown {
  return made;
}
