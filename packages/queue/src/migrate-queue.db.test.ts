import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Queues, QueueUnavailableError, dispatchTrigger, migrateQueue, openQueues } from './index.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const name = `tocsin_queue_${randomBytes(6).toString('hex')}`;
const admin = process.env['TOCSIN_TEST_POSTGRES_URL'] ?? '';

const as = (user: string | null): string => {
  const url = new URL(admin);
  url.pathname = `/${name}`;
  if (user !== null) {
    url.username = user;
    url.password = name;
  }
  return url.href;
};
const query = async (url: string, sql: string): Promise<pg.QueryResult> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client.query(sql).finally(() => client.end());
};

let queues: Queues | undefined;
beforeAll(async () => {
  await query(admin, `create database ${name} template template0`);
  await query(admin, `create role ${name} login password '${name}' nosuperuser`);
  await query(as(null), `create schema bullmq authorization ${name}; create table public.secrets (id int)`);
});
afterAll(async () => {
  await queues?.close();
  await query(admin, `drop database if exists ${name} with (force)`);
  await query(admin, `drop role ${name}`);
});

test('queues on a database that was not migrated are refused with the reason', async () => {
  await expect(openQueues({ url: as(name), logger: silent })).rejects.toThrow(QueueUnavailableError);
});

test('a role that owns schema bullmq and nothing else migrates twice at once and works', async () => {
  await Promise.all([migrateQueue({ url: as(name) }), migrateQueue({ url: as(name) })]);
  await migrateQueue({ url: as(name) });
  queues = await openQueues({ url: as(name), logger: silent });
  const handled: string[] = [];
  queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => void handled.push(triggerId));
  await queues.producer(dispatchTrigger).send(Array.from({ length: 20 }, () => ({ tenantId: randomUUID(), triggerId: randomUUID() })));
  await vi.waitFor(() => expect(handled).toHaveLength(20));
  await expect(query(as(name), 'select * from public.secrets')).rejects.toThrow(/permission denied/);
});

test('queues that are closed have no connection any more, so that the server may be stopped at once', async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  await queues?.close();
  const before = sockets();
  const opened = await openQueues({ url: as(name), logger: silent });
  await opened.consumer(dispatchTrigger, { concurrency: 1 }, async () => undefined).ready();
  expect(sockets()).toBeGreaterThan(before);
  await opened.close();
  expect(sockets()).toBe(before);
});

test('a Redis URL has nothing to migrate', async () => {
  await expect(migrateQueue({ url: 'redis://127.0.0.1:1' })).resolves.toBeUndefined();
});
