import { ScheduledRun } from '@tocsin/contracts';
import { withTenantsSql } from '@tocsin/db';
import { claimDueSlots, startEvaluator } from '@tocsin/pipeline';
import { openQueues, type Consumer, type Queues } from '@tocsin/queue';
import { createLogger } from '@tocsin/runtime';
import { describeQueues, testQueue, type TestQueue } from '@tocsin/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Actor, type Answer, aRule, openWorld, SCHEDULER_SECRET, type World } from './open-world.ts';

/** Long against the time a test takes, so that no slot falls due by itself. */
const EVERY = '12h';
const EVERY_MS = 12 * 3_600_000;
const SECRET = { 'x-tocsin-scheduler-secret': SCHEDULER_SECRET };

describeQueues('running what is due from outside', (backend) => {
  let queue: TestQueue;
  let queues: Queues;
  let world: World;
  let evaluator: Consumer;
  let tenants: Actor[];
  let poison: string | null = null;
  const value = 2_000;

  beforeAll(async () => {
    queue = await testQueue(backend);
    queues = await openQueues({ url: queue.url, logger: createLogger('test', 'silent') });
    world = await openWorld({ queues });
    tenants = [];
    for (let made = 0; made < 5; made += 1) {
      const tenant = await world.tenant(`T${made}`);
      await tenant.ask('PUT', '/schedule', { every: EVERY });
      await tenant.ask('POST', '/rules', aRule({ key: 'slow', for: '13h', cooldown: '0s' }));
      await tenant.ask('POST', '/rules', aRule({ key: 'quick', cooldown: '0s' }));
      tenants.push(tenant);
    }
    const source: Parameters<typeof startEvaluator>[0]['source'] = {
      read: async (requests) => {
        if (requests.some(({ tenantId }) => tenantId === poison)) throw new Error('a secret of the tenant’s');
        return requests.map(({ queries }) =>
          queries.map(() => ({ kind: 'series', series: [{ labels: {}, value, samples: 9 }], dropped: 0 })),
        );
      },
    };
    evaluator = startEvaluator({ ...world.services, source, histories: world.services.events });
    await evaluator.ready();
  });
  afterAll(async () => {
    await evaluator.close();
    await world.close();
    await queues.close();
    await queue.close();
  });
  beforeEach(() => {
    poison = null;
  });

  const run = (headers: Record<string, string> = SECRET, method: 'GET' | 'POST' = 'POST'): Promise<Answer> =>
    world.askWith(null)(method, '/api/v1/scheduled-run', undefined, headers);
  const passSlots = (slots: number): void => void (world.services.db.clock.shiftMs += slots * EVERY_MS);
  const runsOf = ({ tenantId }: Actor) =>
    withTenantsSql(
      world.services.db,
      [tenantId],
      (sql) =>
        sql<
          { status: string; covered: number | null; attempts: number }[]
        >`select status, covered_count as covered, attempts from runs order by slot_at`,
    );

  test('evaluates every due tenant, says what came of it, and writes it to each one’s audit log', async () => {
    passSlots(1);
    const { status, body, headers } = await run();
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(ScheduledRun.parse(body)).toMatchObject({ success: true, evaluated: 5, totalEventsFired: 5, queued: [] });
    expect(body.results.toSorted((a: { tenantId: string }, b: { tenantId: string }) => (a.tenantId < b.tenantId ? -1 : 1))).toEqual(
      tenants
        .map(({ tenantId }) => ({ tenantId, rulesEvaluated: 2, eventsFired: 1 }))
        .toSorted((a, b) => (a.tenantId < b.tenantId ? -1 : 1)),
    );
    const [audited] = await withTenantsSql(
      world.services.db,
      [tenants[0]!.tenantId],
      (sql) => sql`select actor, action, data ->> 'covered' as covered from audit_events where action = 'run.scheduled'`,
    );
    expect(audited).toEqual({ actor: 'scheduled-run', action: 'run.scheduled', covered: '0' });
    expect((await run()).body).toEqual({ success: true, evaluated: 0, totalEventsFired: 0, results: [], queued: [] });
  });

  test('asked for ten times at once, by either method and beside a scheduler, makes one run of each tenant and slot', async () => {
    const before = await Promise.all(tenants.map(runsOf));
    passSlots(1);
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, (_, index) => run(SECRET, index % 2 === 0 ? 'GET' : 'POST'))),
      claimDueSlots(world.services),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const told = answers.flatMap(({ body }) => body.results as { tenantId: string }[]).map(({ tenantId }) => tenantId);
    expect(new Set(told).size).toBe(told.length);
    for (const [index, tenant] of tenants.entries()) expect(await runsOf(tenant)).toHaveLength(before[index]!.length + 1);
  });

  test('asked for more rarely than the schedule says covers what lies between: nothing is missed, and `for` counts', async () => {
    await run();
    passSlots(4);
    expect((await run()).body).toMatchObject({ evaluated: 5 });
    const runs = await runsOf(tenants[1]!);
    expect(runs.map(({ status }) => status)).not.toContain('skipped');
    expect(runs.at(-1)).toMatchObject({ covered: 3 });
    expect(runs.slice(0, -1).map(({ covered }) => covered)).not.toContain(3);
    const alerts = await tenants[1]!.ask('GET', '/alerts?ruleKey=slow');
    expect(alerts.body.data).toHaveLength(1);
  });

  test('of a tenant that fails says that it did and no more; the others are evaluated', async () => {
    poison = tenants[2]!.tenantId;
    passSlots(1);
    const { status, body, text } = await run();
    expect({ status, body }).toMatchObject({ status: 200, body: { success: true, evaluated: 4, queued: [] } });
    expect(body.results).toContainEqual({ tenantId: poison, rulesEvaluated: 0, eventsFired: 0, error: 'evaluation_failed' });
    expect(text).not.toContain('secret');
    expect((await runsOf(tenants[2]!)).at(-1)).toMatchObject({ status: 'failed', attempts: 3 });
  }, 90_000);
});
