import { randomUUID } from 'node:crypto';
import { type RedisServer, freePort, redisProgram, redisServer } from '@tocsin/testkit';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Queues, deliver, openQueues } from './index.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const delivery = () => ({ tenantId: randomUUID(), deliveryId: randomUUID() });

describe.skipIf(redisProgram === null)('queues on a redis of their own', () => {
  let server: RedisServer | undefined;
  let queues: Queues | undefined;
  afterEach(async () => {
    await queues?.close(500);
    await server?.close();
  });

  test('a server that would evict jobs is refused with the reason, at once', async () => {
    server = await redisServer({ 'maxmemory-policy': 'allkeys-lru' });
    const startedAt = performance.now();
    await expect(openQueues({ url: server.url, logger: silent })).rejects.toThrow(/maxmemory-policy is allkeys-lru, it must be noeviction/);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  test('a server killed and restarted empty: consumers go on within 5 s', async () => {
    server = await redisServer();
    queues = await openQueues({ url: server.url, logger: silent });
    const handled: string[] = [];
    const consumer = queues.consumer(deliver, { concurrency: 5 }, async ({ deliveryId }) => void handled.push(deliveryId));
    await consumer.ready();
    for (let restart = 0; restart < 3; restart += 1) {
      await server.kill();
      await expect(queues.producer(deliver).send(delivery())).rejects.toThrow();
      await server.restart();
      const payload = delivery();
      await vi.waitFor(() => queues?.producer(deliver).send(payload), 5_000);
      await vi.waitFor(() => expect(handled).toContain(payload.deliveryId), 5_000);
    }
  }, 90_000);

  test('FLUSHALL while hints wait, run and are delayed: consumers go on', async () => {
    server = await redisServer();
    queues = await openQueues({ url: server.url, logger: silent });
    const handled: string[] = [];
    const finish = Promise.withResolvers<void>();
    const consumer = queues.consumer(deliver, { concurrency: 2 }, async ({ deliveryId }) => {
      handled.push(deliveryId);
      if (handled.length <= 2) await finish.promise;
    });
    await consumer.ready();
    await queues.producer(deliver).send(Array.from({ length: 5 }, delivery));
    await queues.producer(deliver).send(delivery(), { delayMs: 60_000 });
    await vi.waitFor(() => expect(handled).toHaveLength(2));
    const client = new Redis(server.url);
    await client.flushall();
    client.disconnect();
    finish.resolve();
    const payload = delivery();
    await queues.producer(deliver).send(payload);
    await vi.waitFor(() => expect(handled).toContain(payload.deliveryId), 10_000);
  }, 90_000);

  test('a server that is out of memory rejects a send and takes the next once there is room', async () => {
    server = await redisServer();
    queues = await openQueues({ url: server.url, logger: silent });
    const client = new Redis(server.url);
    await client.config('SET', 'maxmemory', '1');
    await expect(queues.producer(deliver).send(delivery())).rejects.toThrow(/OOM/);
    await client.config('SET', 'maxmemory', '0');
    client.disconnect();
    await queues.producer(deliver).send(delivery());
    expect((await queues.depth()).deliveries.waiting).toBe(1);
  });

  test('a server that comes up later is waited for, one that never comes is named', async () => {
    const nobody = await freePort();
    await expect(openQueues({ url: `redis://127.0.0.1:${nobody}`, logger: silent, waitMs: 0 })).rejects.toThrow(
      /does not answer: .*ECONNREFUSED/,
    );
    server = await redisServer();
    await server.kill();
    const opening = openQueues({ url: server.url, logger: silent });
    await server.restart();
    queues = await opening;
    await queues.ping();
  }, 15_000);

  test('two prefixes on one server are two installations', async () => {
    server = await redisServer();
    queues = await openQueues({ url: `${server.url}?prefix=one`, logger: silent });
    const other = await openQueues({ url: `${server.url}?prefix=two`, logger: silent });
    await queues.producer(deliver).send(delivery());
    expect((await queues.depth()).deliveries.waiting).toBe(1);
    expect((await other.depth()).deliveries.waiting).toBe(0);
    await other.close();
  });
});
