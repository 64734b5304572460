import { randomBytes } from 'node:crypto';
import { type QueueBackend, migrateQueue } from '@tocsin/queue';
import { Redis } from 'ioredis';
import pg from 'pg';
import { describe } from 'vitest';

export const queueBackends: readonly QueueBackend[] = ['postgres', 'redis'];

/** A suite on both backends. Without a Redis to test on, its half is reported as skipped, by name. */
export function describeQueues(title: string, body: (backend: QueueBackend) => void): void {
  for (const backend of queueBackends) {
    const missing = backend === 'redis' && process.env['TOCSIN_TEST_REDIS_URL'] === undefined;
    describe.skipIf(missing)(`${title} on ${backend}`, () => body(backend));
  }
}

export interface TestQueue {
  /** For `openQueues`: queues nobody else sees. */
  url: string;
  /** Loses everything in them, as FLUSHALL or a server without its disk would. */
  wipe: () => Promise<void>;
  /** Everything that is stored for them, as text. */
  dump: () => Promise<string>;
  close: () => Promise<void>;
}

export const testQueue = (backend: QueueBackend): Promise<TestQueue> => (backend === 'redis' ? redisQueue() : postgresQueue());

async function redisQueue(): Promise<TestQueue> {
  const server = needed('TOCSIN_TEST_REDIS_URL');
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const url = new URL(server);
  url.searchParams.set('prefix', prefix);
  const wipe = async (): Promise<void> => {
    const client = new Redis(server);
    for await (const keys of client.scanStream({ match: `${prefix}:*`, count: 500 })) {
      if ((keys as string[]).length > 0) await client.unlink(keys as string[]);
    }
    client.disconnect();
  };
  const dump = async (): Promise<string> => {
    const client = new Redis(server);
    const stored: unknown[] = [];
    for await (const keys of client.scanStream({ match: `${prefix}:*`, count: 500 })) {
      for (const key of keys as string[]) stored.push(key, await valueOf(client, key));
    }
    client.disconnect();
    return JSON.stringify(stored);
  };
  return { url: url.href, wipe, dump, close: wipe };
}

async function valueOf(client: Redis, key: string): Promise<unknown> {
  const type = await client.type(key);
  if (type === 'hash') return client.hgetall(key);
  if (type === 'list') return client.lrange(key, 0, -1);
  if (type === 'set') return client.smembers(key);
  if (type === 'zset') return client.zrange(key, '0', '-1');
  if (type === 'stream') return client.xrange(key, '-', '+');
  return client.get(key);
}

async function postgresQueue(): Promise<TestQueue> {
  const server = needed('TOCSIN_TEST_POSTGRES_URL');
  const name = `tocsin_queue_${randomBytes(6).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await run(server, `create database ${name} template template0`);
  await migrateQueue({ url: url.href });
  return {
    url: url.href,
    wipe: async () => void (await run(url.href, 'truncate bullmq.job, bullmq.meta, bullmq.event cascade')),
    dump: async () =>
      JSON.stringify(
        await run(
          url.href,
          "select query_to_xml(format('select * from bullmq.%I', tablename), true, false, '')::text from pg_tables where schemaname = 'bullmq'",
        ),
      ),
    close: async () => void (await run(server, `drop database ${name} with (force)`)),
  };
}

async function run(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql).finally(() => client.end());
  return rows;
}

function needed(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set: the test runner sets it`);
  return value;
}
