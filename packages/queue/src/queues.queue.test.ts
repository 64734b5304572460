import { randomUUID } from 'node:crypto';
import { type TcpProxy, type TestQueue, describeQueues, tcpProxy, testQueue } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { QUEUE_NAMES, type Queues, QueueUnavailableError, deliver, dispatchTrigger, evaluateRuns, openQueues } from './index.ts';

const recorder = () => {
  const lines: { message: string; fields: object }[] = [];
  const say = (fields: object, message: string): void => {
    lines.push({ fields, message });
  };
  return { lines, info: say, warn: say, error: say };
};

const hint = () => ({ tenantId: randomUUID(), triggerId: randomUUID() });

describeQueues('queues', (backend) => {
  let server: TestQueue;
  let line: TcpProxy;
  let queues: Queues;
  let log: ReturnType<typeof recorder>;

  beforeAll(async () => {
    server = await testQueue(backend);
  });
  afterAll(() => server.close());

  const open = async (): Promise<Queues> => {
    line = await tcpProxy(server.url);
    log = recorder();
    queues = await openQueues({ url: line.through(server.url), logger: log });
    return queues;
  };
  afterEach(async () => {
    line.restore();
    await queues.close(1_000);
    await line.close();
    await server.wipe();
  });

  test('a hint sent is handled with its payload', async () => {
    await open();
    const handled: unknown[] = [];
    queues.consumer(dispatchTrigger, { concurrency: 1 }, async (payload) => void handled.push(payload));
    const payload = hint();
    await queues.producer(dispatchTrigger).send(payload);
    await vi.waitFor(() => expect(handled).toEqual([payload]));
  });

  test('many consumers on one connection are no cause for warnings', async () => {
    const warnings: string[] = [];
    const note = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', note);
    try {
      await open();
      const consumers = Array.from({ length: 12 }, () => queues.consumer(dispatchTrigger, { concurrency: 1 }, async () => undefined));
      await Promise.all(consumers.map((consumer) => consumer.ready()));
      await new Promise((resolve) => setImmediate(resolve));
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', note);
    }
  });

  test('hints of one id that wait together are handled once, and the id is free again afterwards', async () => {
    await open();
    const handled: string[] = [];
    const producer = queues.producer(dispatchTrigger);
    const [first, last] = [hint(), hint()];
    await producer.send(first);
    await producer.send([first, first]);
    await producer.send(last);
    queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => void handled.push(triggerId));
    await vi.waitFor(() => expect(handled).toEqual([first.triggerId, last.triggerId]));
    await vi.waitFor(async () =>
      expect((await queues.depth()).notifications).toEqual({ waiting: 0, active: 0, delayed: 0, oldestWaitingMs: null }),
    );
    await producer.send(first);
    await vi.waitFor(() => expect(handled).toEqual([first.triggerId, last.triggerId, first.triggerId]));
  });

  test('a hint whose id is active is dropped, and is not when sent even if known', async () => {
    await open();
    const handled: string[] = [];
    const finish = Promise.withResolvers<void>();
    queues.consumer(dispatchTrigger, { concurrency: 4 }, async ({ triggerId }) => {
      handled.push(triggerId);
      await finish.promise;
    });
    const producer = queues.producer(dispatchTrigger);
    const [stuck, other] = [hint(), hint()];
    await producer.send(stuck);
    await vi.waitFor(() => expect(handled).toHaveLength(1));
    await producer.send(stuck);
    await producer.send(other);
    await vi.waitFor(() => expect(handled).toEqual([stuck.triggerId, other.triggerId]));
    await producer.send(stuck, { evenIfKnown: true });
    await vi.waitFor(() => expect(handled).toEqual([stuck.triggerId, other.triggerId, stuck.triggerId]));
    finish.resolve();
  });

  test('a thousand hints go in one call and each is handled once', async () => {
    await open();
    const handled = new Map<string, number>();
    const payloads = Array.from({ length: 1_000 }, hint);
    queues.consumer(
      dispatchTrigger,
      { concurrency: 50 },
      async ({ triggerId }) => void handled.set(triggerId, (handled.get(triggerId) ?? 0) + 1),
    );
    await queues.producer(dispatchTrigger).send(payloads);
    await vi.waitFor(() => expect(handled.size).toBe(1_000), 45_000);
    expect(new Set(handled.values())).toEqual(new Set([1]));
  });

  test('a delayed hint is not handled before its time', async () => {
    await open();
    const handledAt = Promise.withResolvers<number>();
    queues.consumer(deliver, { concurrency: 1 }, async () => handledAt.resolve(Date.now()));
    const sentAt = Date.now();
    await queues.producer(deliver).send({ tenantId: randomUUID(), deliveryId: randomUUID() }, { delayMs: 400 });
    expect((await handledAt.promise) - sentAt).toBeGreaterThanOrEqual(400);
    expect((await handledAt.promise) - sentAt).toBeLessThan(20_000);
  });

  test('a handler that asks for it gets the same hint again later, however often', async () => {
    await open();
    const times: number[] = [];
    queues.consumer(deliver, { concurrency: 1 }, async () => {
      times.push(Date.now());
      return times.length < 8 ? { againInMs: 60 } : undefined;
    });
    await queues.producer(deliver).send({ tenantId: randomUUID(), deliveryId: randomUUID() });
    await vi.waitFor(() => expect(times).toHaveLength(8), 45_000);
    for (const [index, time] of times.entries()) if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(60);
    await vi.waitFor(async () => expect((await queues.depth()).deliveries).toMatchObject({ waiting: 0, active: 0, delayed: 0 }));
  });

  test('a handler that has done part of the work gets the rest again', async () => {
    await open();
    const [done, left] = [hint(), hint()].map(({ tenantId, triggerId }) => ({ tenantId, runId: triggerId }));
    const handled: object[] = [];
    queues.consumer(evaluateRuns, { concurrency: 1 }, async ({ runs }) => {
      handled.push(runs);
      return handled.length === 1 ? { againInMs: 60, payload: { runs: [left!] } } : undefined;
    });
    await queues.producer(evaluateRuns).send({ runs: [done!, left!] });
    await vi.waitFor(() => expect(handled).toEqual([[done, left], [left]]), 45_000);
    await vi.waitFor(async () => expect((await queues.depth()).evaluations).toMatchObject({ waiting: 0, active: 0, delayed: 0 }));
  });

  test('a malformed payload is dropped with a word in the log and holds nothing up', async () => {
    await open();
    const handled: string[] = [];
    const raw = queues.forBoard().find(({ name }) => name === 'notifications');
    await raw?.add('notifications', { tenantId: 'not an id' }, { removeOnFail: true });
    const good = hint();
    await queues.producer(dispatchTrigger).send(good);
    queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => void handled.push(triggerId));
    await vi.waitFor(() => expect(handled).toEqual([good.triggerId]));
    expect(log.lines.map(({ message }) => message)).toContain('malformed job dropped');
    await expect(queues.producer(dispatchTrigger).send({ tenantId: 'x', triggerId: 'y' })).rejects.toThrow(/tenantId/);
  });

  test('a handler that throws frees the id for the sweep', async () => {
    await open();
    let calls = 0;
    queues.consumer(dispatchTrigger, { concurrency: 1 }, async () => {
      calls += 1;
      if (calls === 1) throw new Error('database away');
    });
    const payload = hint();
    await queues.producer(dispatchTrigger).send(payload);
    await vi.waitFor(async () => {
      expect(calls).toBe(1);
      expect((await queues.depth()).notifications).toMatchObject({ waiting: 0, active: 0, delayed: 0 });
    });
    await queues.producer(dispatchTrigger).send(payload);
    await vi.waitFor(() => expect(calls).toBe(2));
  });

  test('depth counts what waits, is delayed and how long the oldest has waited', async () => {
    await open();
    const producer = queues.producer(dispatchTrigger);
    await producer.send([hint(), hint()]);
    await producer.send(hint(), { delayMs: 60_000 });
    const { evaluations, notifications } = await queues.depth();
    expect(notifications).toMatchObject({ waiting: 2, active: 0, delayed: 1, oldestWaitingMs: expect.any(Number) });
    expect(evaluations).toEqual({ waiting: 0, active: 0, delayed: 0, oldestWaitingMs: null });
    expect(queues.forBoard().map(({ name }) => name)).toEqual(QUEUE_NAMES);
  });

  test('while the server is away a send rejects soon, and works again after', async () => {
    await open();
    const producer = queues.producer(dispatchTrigger);
    await producer.send(hint());
    line.block();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const startedAt = performance.now();
      await expect(producer.send(hint())).rejects.toThrow(QueueUnavailableError);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    }
    await expect(queues.ping()).rejects.toThrow();
    line.restore();
    await vi.waitFor(() => producer.send(hint()), 45_000);
  });

  test('a consumer whose connections are cut goes on', async () => {
    await open();
    const handled: string[] = [];
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 2 }, async ({ triggerId }) => void handled.push(triggerId));
    await consumer.ready();
    for (let cut = 0; cut < 3; cut += 1) {
      line.cut();
      const payload = hint();
      await vi.waitFor(() => queues.producer(dispatchTrigger).send(payload), 45_000);
      await vi.waitFor(() => expect(handled).toContain(payload.triggerId), 6_000);
    }
  }, 90_000);

  test('a consumer whose server was away for seconds goes on, and the log stays short', async () => {
    await open();
    const handled: string[] = [];
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 2 }, async ({ triggerId }) => void handled.push(triggerId));
    await consumer.ready();
    line.block();
    const back = performance.now() + 3_000;
    await vi.waitFor(() => expect(performance.now()).toBeGreaterThan(back), 45_000);
    line.restore();
    const payload = hint();
    await vi.waitFor(() => queues.producer(dispatchTrigger).send(payload), 45_000);
    await vi.waitFor(() => expect(handled).toContain(payload.triggerId), 45_000);
    expect(log.lines.length).toBeLessThan(25);
  }, 90_000);

  test('queues that lost everything are filled and emptied again', async () => {
    await open();
    const handled: string[] = [];
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 2 }, async ({ triggerId }) => void handled.push(triggerId));
    await consumer.ready();
    await queues.producer(dispatchTrigger).send(Array.from({ length: 20 }, hint), { delayMs: 60_000 });
    await server.wipe();
    const payload = hint();
    await queues.producer(dispatchTrigger).send(payload);
    await vi.waitFor(() => expect(handled).toEqual([payload.triggerId]), 6_000);
    expect((await queues.depth()).notifications.delayed).toBe(0);
  }, 15_000);

  test('close lets a running handler finish and takes no new hint', async () => {
    await open();
    const finish = Promise.withResolvers<void>();
    const handled: string[] = [];
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 1 }, async ({ triggerId }) => {
      handled.push(triggerId);
      await finish.promise;
      handled.push('finished');
    });
    const [first, second] = [hint(), hint()];
    await queues.producer(dispatchTrigger).send(first);
    await vi.waitFor(() => expect(handled).toEqual([first.triggerId]));
    const closed = consumer.close(5_000);
    await queues.producer(dispatchTrigger).send(second);
    finish.resolve();
    await closed;
    expect(handled).toEqual([first.triggerId, 'finished']);
    expect((await queues.depth()).notifications).toMatchObject({ waiting: 1, active: 0 });
  });

  test('close aborts a handler that hangs past the deadline, and returns', async () => {
    await open();
    const aborted = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 1 }, async (_payload, signal) => {
      signal.addEventListener('abort', () => aborted.resolve());
      started.resolve();
      await new Promise(() => undefined);
    });
    await queues.producer(dispatchTrigger).send(hint());
    await started.promise;
    const startedAt = performance.now();
    await consumer.close(200);
    await aborted.promise;
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  test('close leaves no connection behind, also while the server is away', async () => {
    await open();
    const consumer = queues.consumer(dispatchTrigger, { concurrency: 1 }, async () => undefined);
    await consumer.ready();
    expect(line.connections()).toBeGreaterThan(0);
    await queues.close();
    await vi.waitFor(() => expect(line.connections()).toBe(0));
    await line.close();

    await open();
    await queues.consumer(dispatchTrigger, { concurrency: 1 }, async () => undefined).ready();
    line.block();
    const startedAt = performance.now();
    await queues.close(2_000);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  }, 90_000);
});
