import { randomUUID } from 'node:crypto';
import { type TcpProxy, type TestQueue, describeQueues, tcpProxy, testQueue } from '@tocsin/testkit';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Queues, dispatchTrigger, openQueues } from './index.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const hint = () => ({ tenantId: randomUUID(), triggerId: randomUUID() });
const DAY_MS = 86_400_000;

describeQueues('recovery of queues', (backend) => {
  let server: TestQueue;
  const opened: Queues[] = [];
  const lines: TcpProxy[] = [];

  beforeAll(async () => {
    server = await testQueue(backend);
  });
  afterAll(() => server.close());
  afterEach(async () => {
    for (const line of lines) line.restore();
    await Promise.all(opened.splice(0).map((queues) => queues.close(100)));
    await Promise.all(lines.splice(0).map((line) => line.close()));
    await server.wipe();
  });

  const open = async (): Promise<{ queues: Queues; line: TcpProxy }> => {
    const line = await tcpProxy(server.url);
    lines.push(line);
    const queues = await openQueues({ url: line.through(server.url), logger: silent });
    opened.push(queues);
    return { queues, line };
  };

  test('work in the hands of a process that vanished is taken up by another within 15 s', async () => {
    const vanishing = await open();
    const taken = Promise.withResolvers<void>();
    vanishing.queues.consumer(dispatchTrigger, { concurrency: 1 }, async () => {
      taken.resolve();
      await new Promise(() => undefined);
    });
    const payload = hint();
    await vanishing.queues.producer(dispatchTrigger).send(payload);
    await taken.promise;
    vanishing.line.block();

    const { queues } = await open();
    const handled: string[] = [];
    queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => void handled.push(triggerId));
    await vi.waitFor(() => expect(handled).toEqual([payload.triggerId]), 15_000);
  }, 90_000);

  test('a line that swallows everything rejects a send within 11 s, and after it heals a consumer goes on within 10 s', async () => {
    const { queues, line } = await open();
    const handled: string[] = [];
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => void handled.push(triggerId));
    await consumer.ready();
    line.freeze();
    await expect(queues.producer(dispatchTrigger).send(hint())).rejects.toThrow();
    line.restore();
    const payload = hint();
    await vi.waitFor(() => queues.producer(dispatchTrigger).send(payload), 10_000);
    await vi.waitFor(() => expect(handled).toContain(payload.triggerId), 10_000);
  }, 90_000);

  test('connections that died without a word are given up, and a consumer goes on within 20 s', async () => {
    const { queues, line } = await open();
    const handled: string[] = [];
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => void handled.push(triggerId));
    await consumer.ready();
    const before = hint();
    await queues.producer(dispatchTrigger).send(before);
    await vi.waitFor(() => expect(handled).toEqual([before.triggerId]));
    line.strand();
    const payload = hint();
    await vi.waitFor(() => queues.producer(dispatchTrigger).send(payload), 20_000);
    await vi.waitFor(() => expect(handled).toContain(payload.triggerId), 20_000);
  }, 120_000);

  test('a consumer started while the server is away starts when it is back', async () => {
    const { queues, line } = await open();
    line.block();
    const handled: string[] = [];
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => void handled.push(triggerId));
    await expect(queues.ping()).rejects.toThrow();
    line.restore();
    await consumer.ready();
    const payload = hint();
    await vi.waitFor(() => queues.producer(dispatchTrigger).send(payload), 10_000);
    await vi.waitFor(() => expect(handled).toContain(payload.triggerId), 10_000);
  }, 90_000);

  test('a slow line delays hints and loses none', async () => {
    const { queues, line } = await open();
    const handled = new Set<string>();
    await queues.consumer(dispatchTrigger, { concurrency: 10 }, async ({ triggerId }) => void handled.add(triggerId)).ready();
    line.delay(100);
    const payloads = Array.from({ length: 20 }, hint);
    await queues.producer(dispatchTrigger).send(payloads);
    await vi.waitFor(() => expect(handled.size).toBe(20), 20_000);
  }, 90_000);

  // Redis keeps this time itself, so no worker's clock can spoil it.
  if (backend === 'redis') return;

  test('a worker whose clock was a day ahead does not switch recovery off', async () => {
    const { queues } = await open();
    const payload = hint();
    await queues.producer(dispatchTrigger).send(payload);
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    const ahead = Date.now() + DAY_MS;
    await client.query(`insert into bullmq.meta (queue, field, value) values ('notifications', 'stalled-check', $1)`, [String(ahead)]);
    await client.query(`update bullmq.job set state = 'active', lock_token = 'gone', locked_until_ms = $1`, [ahead]);
    await client.end();

    const handled: string[] = [];
    queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => void handled.push(triggerId));
    await vi.waitFor(() => expect(handled).toEqual([payload.triggerId]), 15_000);
  }, 90_000);
});
