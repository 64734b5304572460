import { afterEach, describe, expect, test } from 'vitest';
import { createMetrics, exposeQueueDepth } from './metrics.ts';
import { type OpsServer, serveOps } from './ops-server.ts';
import type { DependencyChecks } from './readiness.ts';

let server: OpsServer | undefined;
afterEach(() => server?.close());

const serve = async (dependencies: DependencyChecks = {}, metrics = createMetrics('test')) => {
  server = await serveOps({ host: '127.0.0.1', port: 0, metrics, dependencies });
  const base = `http://127.0.0.1:${server.port}`;
  return (path: string, init?: RequestInit) => fetch(base + path, init);
};

describe('the operator’s pages of a process', () => {
  test('/healthz is well while the process lives, whatever it depends on', async () => {
    const get = await serve({ database: () => Promise.reject(new Error('gone')) });
    expect((await get('/healthz')).status).toBe(200);
  });

  test('/readyz answers for each dependency', async () => {
    const get = await serve({ database: async () => undefined, queue: async () => undefined });
    const answer = await get('/readyz');
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok', checks: { database: 'ok', queue: 'ok' } }]);
  });

  test('/readyz is 503 when one is away, without its words', async () => {
    const get = await serve({
      database: async () => undefined,
      queue: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:6379')),
    });
    const answer = await get('/readyz');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { status: 'unavailable', checks: { database: 'ok', queue: 'unavailable' } },
    ]);
  });

  test('/readyz does not hang with a dependency that does', async () => {
    const get = await serve({ queue: () => new Promise(() => undefined) });
    const answer = await get('/readyz');
    expect([answer.status, await answer.json()]).toEqual([503, { status: 'unavailable', checks: { queue: 'timeout' } }]);
  }, 90_000);

  test('/metrics shows counters and the depth of queues, and survives queues that do not answer', async () => {
    const metrics = createMetrics('test');
    let away = false;
    exposeQueueDepth(metrics, async () => {
      if (away) throw new Error('away');
      return { deliveries: { waiting: 3, active: 1, delayed: 2, oldestWaitingMs: 1_500 } };
    });
    metrics.runs.inc({ result: 'done' }, 2);
    const get = await serve({}, metrics);
    const text = await (await get('/metrics')).text();
    expect(text).toMatch(/^tocsin_runs_total\{result="done",process="test"\} 2$/m);
    expect(text).toMatch(/^tocsin_queue_jobs\{queue="deliveries",state="waiting",process="test"\} 3$/m);
    expect(text).toMatch(/^tocsin_queue_oldest_job_age_seconds\{queue="deliveries",process="test"\} 1\.5$/m);
    away = true;
    const later = await get('/metrics');
    expect(later.status).toBe(200);
    expect(await later.text()).not.toMatch(/^tocsin_queue_jobs\{/m);
  });

  test('anything else is 404, and only reading is allowed', async () => {
    const get = await serve();
    expect((await get('/')).status).toBe(404);
    expect((await get('/metrics', { method: 'POST' })).status).toBe(405);
  });

  test('a port that is taken is an error, not a hang', async () => {
    await serve();
    await expect(
      serveOps({ host: '127.0.0.1', port: server?.port ?? 0, metrics: createMetrics('test'), dependencies: {} }),
    ).rejects.toThrow(/EADDRINUSE/);
  });
});
