import {
  withTenant,
  findDrill,
  readDrillStages,
  saveDrillSchedule,
  selectAlerts,
  selectRules,
  type DrillRow,
  type DrillStages,
} from '@tocsin/db';
import { describeQueues, webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openWholePipeline, type WholePipeline } from '../../test/whole-pipeline.ts';
import { tenantWith } from '../../test/stage.ts';
import { moveDrill } from './move-drill.ts';
import { moveDrills } from './move-drills.ts';
import { startDrill } from './start-drill.ts';

const HOUR_MS = 3_600_000;

describeQueues('a fire drill', (backend) => {
  let whole: WholePipeline;
  let receiver: WebhookReceiver;
  let tenantId: string;
  beforeAll(async () => {
    whole = await openWholePipeline(backend);
  });
  afterAll(() => whole.close());
  beforeEach(async () => {
    receiver = await webhookReceiver();
    tenantId = await tenantWith(whole.stage.db, 60_000);
    await whole.addWebhook(tenantId, receiver.url);
  });
  afterEach(async () => {
    whole.stage.db.clock.shiftMs = 0;
    await receiver.close();
  });

  const start = (channels: string[]): Promise<string> =>
    startDrill(whole.stage.deps, { tenantId, channels, severity: 'critical', isScheduled: false, actor: 'test' });
  const look = (id: string): Promise<{ drill: DrillRow; stages: DrillStages }> =>
    withTenant(whole.stage.db, tenantId, async (tx) => {
      const drill = (await findDrill(tx, tenantId, id))!;
      return { drill, stages: drill.report ?? (await readDrillStages(tx, drill)) };
    });
  const over = (id: string): Promise<{ drill: DrillRow; stages: DrillStages }> =>
    vi.waitFor(
      async () => {
        await moveDrill(whole.stage.deps, { tenantId, id });
        const found = await look(id);
        expect(found.drill.status, JSON.stringify(found.stages)).not.toBe('running');
        return found;
      },
      { timeout: 45_000, interval: 50 },
    );
  const types = (): string[] => receiver.requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);

  test('takes the whole way, says when it passed each stage, and ends what it began', async () => {
    const id = await start(['hook']);
    const { drill, stages } = await over(id);
    expect(drill).toMatchObject({
      status: 'passed',
      storedAtMs: expect.any(Number),
      runId: expect.any(String),
      finishedAtMs: expect.any(Number),
    });
    const { evaluatedAtMs, triggeredAtMs, plannedAtMs, channels } = stages;
    expect(channels).toMatchObject([{ channel: 'hook', status: 'delivered', reason: null, attempts: 1 }]);
    const times = [
      drill.startedAtMs,
      drill.storedAtMs,
      triggeredAtMs,
      plannedAtMs,
      channels[0]?.firstAttemptAtMs,
      channels[0]?.finishedAtMs,
    ];
    for (const [index, at] of times.slice(1).entries()) expect(at).toBeGreaterThanOrEqual(times[index] ?? Number.NaN);
    expect(evaluatedAtMs).toBeGreaterThanOrEqual(drill.storedAtMs!);
    expect(plannedAtMs).toBeGreaterThanOrEqual(evaluatedAtMs!);
    await vi.waitFor(() => expect(types()).toEqual(['alert.fired', 'alert.resolved']), 10_000);
    expect(JSON.parse(receiver.requests[0]!.body)).toMatchObject({
      data: { alert: { name: 'Fire drill' }, context: { summary: expect.stringContaining('nothing is wrong') } },
    });
  });

  test('is in no list of rules or alerts, neither while it runs nor after', async () => {
    receiver.respondWith(() => ({ status: 503 }));
    const id = await start(['hook']);
    await vi.waitFor(async () => expect((await look(id)).stages.channels[0]?.status).toBe('retrying'), 10_000);
    const lists = () =>
      withTenant(whole.stage.db, tenantId, async (tx) => {
        const none = { beforeId: null, limit: 10, enabled: null, severity: null, health: null, state: null, search: null };
        const rules = await selectRules(tx, tenantId, none);
        const open = {
          beforeId: null,
          limit: 10,
          statuses: null,
          severities: null,
          typeNames: null,
          category: null,
          labels: null,
          assignee: null,
          search: null,
          ruleId: null,
          ruleKey: null,
          sinceMs: null,
          untilMs: null,
        };
        return [...rules, ...(await selectAlerts(tx, tenantId, open))];
      });
    expect(await lists()).toEqual([]);
    whole.stage.db.clock.shiftMs += 121_000;
    const { drill, stages } = await over(id);
    expect(drill.status).toBe('failed');
    expect(stages.channels).toMatchObject([{ channel: 'hook', status: 'retrying', reason: 'http_503', deliveryId: expect.any(String) }]);
    expect(await lists()).toEqual([]);
  });

  test('fails where nobody would hear, with the reason', async () => {
    const id = await start(['gone']);
    const { drill, stages } = await over(id);
    expect(drill.status).toBe('failed');
    expect(stages).toMatchObject({
      silent: 'channel_missing',
      channels: [{ channel: 'gone', status: 'suppressed', reason: 'channel_missing' }],
    });
  });

  test('that lost its process in the middle is moved on by any other, and is one', async () => {
    const id = await start(['hook']);
    await Promise.all([1, 2, 3].map(() => moveDrills(whole.stage.deps)));
    expect((await over(id)).drill.status).toBe('passed');
    expect(types().filter((type) => type === 'alert.fired')).toHaveLength(1);
  });

  test('takes place by itself when its schedule says so, once, and once for all that were missed', async () => {
    const { db } = whole.stage;
    const nextAtMs = whole.now() + HOUR_MS;
    const schedule = {
      tenantId,
      cron: '0 * * * *',
      timeZone: 'UTC',
      channels: ['hook'],
      severity: 'warning' as const,
      nextAtMs,
      updatedBy: 'test',
    };
    await withTenant(db, tenantId, (tx) => saveDrillSchedule(tx, schedule));
    await moveDrills(whole.stage.deps);
    expect(receiver.requests).toEqual([]);
    db.clock.shiftMs += 3 * HOUR_MS;
    await Promise.all([1, 2].map(() => moveDrills(whole.stage.deps)));
    await vi.waitFor(() => expect(types()).toContain('alert.fired'), 15_000);
    const drills = await withTenant(db, tenantId, (tx) =>
      tx.execute<{ id: string; is_scheduled: boolean }>('select id, is_scheduled from drills'),
    );
    expect(drills).toMatchObject([{ is_scheduled: true }]);
    expect((await over(drills[0]!.id)).drill.status).toBe('passed');
  });
});
