import { withTenantsSql } from '@tocsin/db';
import type { MetricSource } from '@tocsin/domain';
import { startEvaluator } from '@tocsin/pipeline';
import { openQueues, type Consumer, type Queues } from '@tocsin/queue';
import { createLogger, systemClock } from '@tocsin/runtime';
import { describeQueues, testQueue, type TestQueue } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, aRule, expectProblem, openWorld, type World } from './open-world.ts';

const slow: MetricSource = {
  read: (requests) =>
    Promise.resolve(
      requests.map(({ queries }) =>
        queries.map(() => ({ kind: 'series', series: [{ labels: {}, value: 2_000, samples: 9 }], dropped: 0 })),
      ),
    ),
};

describeQueues('evaluating now', (backend) => {
  let queue: TestQueue;
  let queues: Queues;
  let world: World;
  let tenant: Actor;
  let evaluator: Consumer;
  /** Passes as fast as somebody waits. */
  let waitedMs = 0;
  const hurried = {
    now: () => Date.now() + waitedMs,
    sleep: async (ms: number, signal: AbortSignal) => {
      waitedMs += ms;
      await systemClock.sleep(Math.min(ms, 5), signal);
    },
  };

  beforeAll(async () => {
    queue = await testQueue(backend);
    queues = await openQueues({ url: queue.url, logger: createLogger('test', 'silent') });
    world = await openWorld({ queues });
    evaluator = startEvaluator({ ...world.services, source: slow, histories: world.services.events });
    await evaluator.ready();
    tenant = await world.tenant();
    for (const key of ['a', 'b']) await tenant.ask('POST', '/rules', aRule({ key, every: '1d' }));
  });
  afterAll(async () => {
    await evaluator.close();
    await world.close();
    await queues.close();
    await queue.close();
  });

  test('answers what the run came to: every enabled rule at that moment, and the changes that are told', async () => {
    const { status, body } = await tenant.ask('POST', '/evaluate');
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'done', rulesEvaluated: 2, eventsFired: 2 } });
    expect((await tenant.ask('GET', '/alerts')).body.data).toHaveLength(2);
    const rule = await tenant.ask('GET', '/rules/by-key/a');
    const { data } = (await tenant.ask('GET', `/rules/${rule.body.id}/evaluations`)).body;
    expect(data).toMatchObject([{ runId: body.runId, slot: body.slot, outcome: 'fired' }]);
    expect((await tenant.ask('POST', '/evaluate')).body).toMatchObject({ status: 'done', rulesEvaluated: 2, eventsFired: 0 });
  });

  test('with an Idempotency-Key evaluates once, and says so again', async () => {
    const key = { 'idempotency-key': 'now' };
    const [first, again] = [await tenant.ask('POST', '/evaluate', undefined, key), await tenant.ask('POST', '/evaluate', {}, key)];
    expectProblem(again, 'idempotency_mismatch', 422);
    const same = await tenant.ask('POST', '/evaluate', undefined, key);
    expect([same.status, same.text, same.headers['idempotent-replayed']]).toEqual([first.status, first.text, 'true']);
  });

  test('of a tenant without rules is done too', async () => {
    const other = await world.tenant('Empty');
    expect((await other.ask('POST', '/evaluate')).body).toMatchObject({ status: 'done', rulesEvaluated: 0, eventsFired: 0 });
  });

  test('that is not done in time is a 202, and goes on', async () => {
    await evaluator.close();
    const patient = await openWorld({ ...world.services, clock: hurried });
    try {
      const ask = patient.askWith(await tenant.apiKey('admin'));
      const { status, body } = await ask('POST', '/api/v1/evaluate');
      expect({ status, body }).toMatchObject({ status: 202, body: { status: 'queued', rulesEvaluated: null, eventsFired: null } });
      expect(waitedMs).toBeGreaterThan(20_000);
      expect(waitedMs).toBeLessThan(26_000);
      for (let count = 1; count < 10; count += 1) await ask('POST', '/api/v1/evaluate');
      const refused = expectProblem(await ask('POST', '/api/v1/evaluate'), 'too_many_requests', 429);
      expect(refused.detail).toContain('wait already');
      const waiting = await withTenantsSql(world.services.db, [tenant.tenantId], (sql) => sql`select from runs where status = 'queued'`);
      expect(waiting).toHaveLength(10);
    } finally {
      await patient.close();
    }
  });
});
