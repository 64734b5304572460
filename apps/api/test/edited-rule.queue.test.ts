import type { Rule } from '@tocsin/contracts';
import { withTenantsSql, type SqlTx } from '@tocsin/db';
import type { MetricSource } from '@tocsin/domain';
import { claimDueSlots, startEvaluator } from '@tocsin/pipeline';
import { openQueues, type Queues } from '@tocsin/queue';
import { createLogger } from '@tocsin/runtime';
import { describeQueues, testQueue, type TestQueue } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Actor, type Answer, aRule, openWorld, type World } from './open-world.ts';

const SLOTS = 8;
const EDITORS = 4;

/** Every look at the metric breaches, and takes as long as `meanwhile`. */
const breaching = (meanwhile: () => Promise<unknown>): MetricSource => ({
  read: async (requests) => {
    await meanwhile();
    const series = [{ labels: {}, value: 2_000, samples: 9 }];
    return requests.map(({ queries }) => queries.map(() => ({ kind: 'series', series, dropped: 0 })));
  },
});

describeQueues('a rule that is edited while it is evaluated', (backend) => {
  let queue: TestQueue;
  let queues: Queues;
  let world: World;
  let tenant: Actor;
  beforeAll(async () => {
    queue = await testQueue(backend);
    queues = await openQueues({ url: queue.url, logger: createLogger('test', 'silent') });
    world = await openWorld({ queues });
    tenant = await world.tenant();
    await tenant.ask('POST', '/channels', { key: 'in', name: 'In', kind: 'inbox' });
  });
  afterAll(async () => {
    await world.close();
    await queues.close();
    await queue.close();
  });

  const inTenant = <T>(work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(world.services.db, [tenant.tenantId], work);

  /** Claims a slot, however often somebody else holds the schedule, and waits until it is evaluated. */
  async function passSlot(): Promise<void> {
    world.services.db.clock.shiftMs += 10_000;
    const patience = { timeout: 45_000, interval: 20 };
    await vi.waitFor(async () => expect((await claimDueSlots(world.services)).runs).toBe(1), patience);
    await vi.waitFor(
      async () => expect(await inTenant((sql) => sql`select id from runs where status in ('queued', 'running')`)).toEqual([]),
      patience,
    );
  }

  /** Alerts that are open although their rule is gone, switched off or another one by now. */
  const strays = () =>
    inTenant(
      (sql) => sql`
      select alerts.id from alerts
      left join rules on rules.id = alerts.rule_id and rules.enabled and rules.spec #>> '{condition,threshold}' = alerts.reading ->> 'threshold'
      left join series_states on series_states.alert_id = alerts.id and series_states.rule_id = alerts.rule_id
      where alerts.resolved_at is null and (rules.id is null or series_states.alert_id is null)`,
    );

  /** One of what people do to a rule, by turns; the key is always the same. */
  const EDITS: readonly ((key: string, turn: number) => Promise<Answer[]>)[] = [
    async (key, turn) => [await tenant.ask('PUT', `/rules/by-key/${key}`, edited(key, turn))],
    (key, turn) => withRule(key, ({ id }) => tenant.ask('PATCH', `/rules/${id}`, { condition: condition(turn), remindEvery: '1h' })),
    (key) => withRule(key, ({ id }) => tenant.ask('POST', `/rules/${id}/disable`)),
    (key) => withRule(key, ({ id }) => tenant.ask('POST', `/rules/${id}/enable`)),
    (key, turn) =>
      withRule(key, ({ id, version }) => tenant.ask('PATCH', `/rules/${id}`, { name: `Edited ${turn}` }, { 'if-match': `"${version}"` })),
    (key) => withRule(key, ({ id }) => tenant.ask('DELETE', `/rules/${id}`)),
    async (key, turn) => [await tenant.ask('POST', '/rules', edited(key, turn))],
  ];
  const condition = (turn: number) => ({ metric: 'latency', window: '5m', operator: '>', threshold: turn % 1_000 });
  const edited = (key: string, turn: number) => aRule({ key, every: '10s', cooldown: '0s', notify: ['in'], condition: condition(turn) });
  async function withRule(key: string, edit: (rule: Rule) => Promise<Answer>): Promise<Answer[]> {
    const found = await tenant.ask('GET', `/rules/by-key/${key}`);
    return found.status === 200 ? [found, await edit(found.body)] : [found];
  }

  test('answers clearly to everybody, leaves nothing open behind, and holds up no other rule', async () => {
    const { body: steady } = await tenant.ask('POST', '/rules', aRule({ key: 'steady', every: '10s', notify: ['in'] }));
    const statuses = new Map<number, number>();
    let turn = 0;
    let isEdited = false;
    const someEdits = async (): Promise<void> => {
      const before = turn;
      if (isEdited) await vi.waitFor(() => expect(turn).toBeGreaterThan(before + EDITS.length), { timeout: 45_000, interval: 5 });
    };
    const evaluator = startEvaluator({ ...world.services, source: breaching(someEdits), histories: world.services.events });
    await evaluator.ready();
    const edit = async (): Promise<void> => {
      while (isEdited) {
        turn += 1;
        for (const { status } of await EDITS[turn % EDITS.length]!('edited', turn)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    for (let slot = 0; slot < SLOTS; slot += 1) {
      // With nobody at work on it the rule fires; the next edits end that.
      await tenant.ask('PUT', '/rules/by-key/edited', { ...edited('edited', turn), enabled: true });
      await passSlot();
      isEdited = true;
      const editing = Array.from({ length: EDITORS }, edit);
      await passSlot();
      isEdited = false;
      await Promise.all(editing);
      expect(await strays()).toEqual([]);
    }

    expect([...statuses.keys()].filter((status) => ![200, 201, 204, 404, 409, 412].includes(status))).toEqual([]);
    expect(statuses.get(200)).toBeGreaterThan(SLOTS);

    const runs = await inTenant((sql) => sql<{ status: string; attempts: number }[]>`select status, attempts from runs`);
    expect(runs.filter(({ status, attempts }) => !['done', 'late', 'skipped'].includes(status) || attempts > 1)).toEqual([]);
    const history = await tenant.ask('GET', `/rules/${steady.id}/evaluations?limit=500`);
    expect(history.body.data.map(({ outcome }: { outcome: string }) => outcome)).not.toContain('superseded');
    expect(history.body.data).toHaveLength(runs.filter(({ status }) => status !== 'skipped').length);

    const untold = await inTenant(
      (sql) => sql`
      select alerts.id, alerts.status, array_agg(triggers.kind order by triggers.seq) as told from alerts left join triggers on triggers.alert_id = alerts.id
      group by alerts.id, alerts.status, alerts.resolved_at
      having array_agg(triggers.kind order by triggers.seq) <> case when alerts.resolved_at is null then array['fired'] else array['fired', 'resolved'] end`,
    );
    expect(untold).toEqual([]);
    const reasons = await inTenant(
      (sql) => sql<{ why: string }[]>`select distinct resolve_reason as why from alerts where resolved_at is not null`,
    );
    for (const { why } of reasons) expect(['rule_changed', 'rule_disabled', 'rule_deleted']).toContain(why);

    const gaps = await inTenant(
      (sql) => sql`
      select id from rules where version <> (select count(*) from rule_versions where rule_id = rules.id)
         or version <> (select count(*) from audit_events where subject = rules.id::text and action in ('rule.created', 'rule.updated'))`,
    );
    expect(gaps).toEqual([]);
    await evaluator.close();
  }, 120_000);
});
