import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describeQueues, testQueue } from '@tocsin/testkit';
import { expect, test, vi } from 'vitest';
import { dispatchTrigger, openQueues } from './index.ts';

const PROGRAM = join(import.meta.dirname, '../test/worker.ts');
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describeQueues('crashes', (backend) => {
  test('workers killed again and again lose no hint, and all are handled within 25 s of the last kill', async () => {
    const server = await testQueue(backend);
    const queues = await openQueues({ url: server.url, logger: silent });
    const finished = new Set<string>();
    const workers: ChildProcess[] = [];
    const startWorker = async (): Promise<void> => {
      const child = spawn(process.execPath, [PROGRAM, server.url], { stdio: ['ignore', 'pipe', 'inherit'] });
      workers.push(child);
      const up = Promise.withResolvers<void>();
      createInterface(child.stdout).on('line', (line) => (line === 'ready' ? up.resolve() : finished.add(line)));
      await up.promise;
    };
    try {
      const payloads = Array.from({ length: 400 }, () => ({ tenantId: randomUUID(), triggerId: randomUUID() }));
      await Promise.all([startWorker(), startWorker()]);
      await queues.producer(dispatchTrigger).send(payloads);
      for (let kills = 1; kills <= 8; kills += 1) {
        await vi.waitFor(() => expect(finished.size).toBeGreaterThanOrEqual(kills * 30), 45_000);
        workers.shift()?.kill('SIGKILL');
        await startWorker();
      }
      await vi.waitFor(() => expect(finished.size).toBe(payloads.length), 25_000);
      await vi.waitFor(
        async () => expect((await queues.depth()).notifications).toMatchObject({ waiting: 0, active: 0, delayed: 0 }),
        15_000,
      );
    } finally {
      for (const worker of workers) worker.kill('SIGKILL');
      await queues.close();
      await server.close();
    }
  }, 120_000);
});
