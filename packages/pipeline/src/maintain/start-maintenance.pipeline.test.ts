import { newId } from '@tocsin/db';
import { maintain } from '@tocsin/queue';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, tenantWith, type Stage } from '../../test/stage.ts';
import { startMaintenance } from './start-maintenance.ts';
import { archiveOld, DEFAULT_RETENTION, deleteOld, keepPartitions, type MaintenanceDeps } from './tasks.ts';

const DAY_MS = 86_400_000;

describeQueues('maintenance', (backend) => {
  let stage: Stage;
  let deps: MaintenanceDeps;
  const compacted: string[] = [];
  const prepared: { tenantId: string; windows: string[] }[] = [];
  let missing = 0;
  beforeAll(async () => {
    stage = await openStage(backend);
    const compact = (tenantIds: readonly string[]) => {
      compacted.push(...tenantIds);
      return Promise.resolve({ merged: 0, written: 0 });
    };
    const prepare: MaintenanceDeps['store']['prepare'] = (tenantId, needs) => {
      prepared.push({ tenantId, windows: needs.map(({ kind, query }) => `${kind} ${query.windowMs}`) });
      return Promise.resolve({ made: 1, missing: missing-- > 0 ? 1 : 0 });
    };
    deps = { ...stage.deps, store: { compact, prepare }, retention: DEFAULT_RETENTION };
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  test('a task for everybody reaches every tenant, whoever takes the jobs', async () => {
    const tenants = await Promise.all(Array.from({ length: 130 }, () => tenantWith(stage.db, 60_000)));
    const consumers = [startMaintenance(deps), startMaintenance(deps)];
    await stage.queues.producer(maintain).send({ task: 'compact' });
    await vi.waitFor(() => expect(compacted.toSorted()).toEqual(tenants.toSorted()), 45_000);
    for (const consumer of consumers) await consumer.close();
  });

  test('what rules need of closed hours is made for their tenants, again and again until nothing is missing', async () => {
    const [tenantId] = await Promise.all([tenantWith(stage.db, 60_000), tenantWith(stage.db, 60_000)]);
    const condition = (window: string) => ({ metric: 'latency', window, operator: '>', threshold: 100 });
    await addRule(stage.db, tenantId, { condition: { any: [condition('5m'), condition('7d')] } });
    await addRule(stage.db, tenantId, { key: 'short', condition: condition('6h') });
    missing = 2;
    const consumer = startMaintenance(deps);
    await stage.queues.producer(maintain).send({ task: 'prepare' });
    const each = { tenantId, windows: ['partial 604800000'] };
    await vi.waitFor(() => expect(prepared).toEqual([each, each, each]), 45_000);
    await consumer.close();
  });

  test('the days to come are made, and those past their retention dropped, by any number at once', async () => {
    const days = async (): Promise<string[]> =>
      (
        await stage.db.sql<{ name: string }[]>`
        select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'tocsin.segments'::regclass order by 1`
      ).map((row) => row.name);
    await stage.db.sql`select ensure_partitions(tocsin_now() - interval '40 days', tocsin_now() - interval '38 days', 'segments')`;
    const before = await days();
    await Promise.all([keepPartitions(deps), keepPartitions(deps), keepPartitions(deps)]);
    await keepPartitions(deps);
    const after = await days();
    expect(before.length - after.length).toBe(3);
    expect(after).toEqual(before.slice(3));
  });

  test('an alert is archived with its timeline, whose day may be dropped then, by any number at once and each once', async () => {
    const tenantId = await tenantWith(stage.db, 60_000);
    const ids = Array.from({ length: 450 }, () => newId());
    await asTenant(stage.db, tenantId, async (sql) => {
      await sql`
        insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at,
          resolved_at, resolve_reason, resolved_by, resolution_notes, assignee, type_name, category)
        select ${tenantId}, id, ${newId()}, 'k', 'n', id::text, '{"a":"b"}', 'threshold', 'resolved', 'info', '{}', now() - interval '92 days', now() - interval '91 days',
          now() - interval '91 days', 'manual', 'ann', 'fixed', 'bob', 'cost_high', 'llm-app' from unnest(${ids}::uuid[]) as new (id)`;
      await sql`
        insert into alert_events (tenant_id, id, alert_id, kind, actor, data)
        select ${tenantId}, gen_random_uuid(), id, kind, 'ann', '{"n":1}' from unnest(${ids}::uuid[]) as new (id), unnest(array['fired', 'resolved']) as kind`;
    });
    await Promise.all([1, 2, 3].map(() => archiveOld(deps, [tenantId], new AbortController().signal)));
    await archiveOld(deps, [tenantId], new AbortController().signal);
    const archived = await asTenant(stage.db, tenantId, (sql) => sql<Record<string, unknown>[]>`select * from archived_alerts`);
    expect(archived.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    for (const row of archived) {
      expect(row).toMatchObject({
        resolved_by: 'ann',
        resolution_notes: 'fixed',
        assignee: 'bob',
        type_name: 'cost_high',
        category: 'llm-app',
        labels: { a: 'b' },
      });
      expect((row['timeline'] as { kind: string }[]).map(({ kind }) => kind).toSorted()).toEqual(['fired', 'resolved']);
    }
    expect(await asTenant(stage.db, tenantId, (sql) => sql`select from alerts`)).toHaveLength(0);
  });

  test('what is over for longer than its retention goes, whole: alerts into the archive first; what is open, pending or young stays', async () => {
    const tenantId = await tenantWith(stage.db, 60_000);
    const bystander = await tenantWith(stage.db, 60_000);
    const nowMs = Date.now();
    const alert = (owner: string, resolvedDaysAgo: number | null, deliveryStatus: string): Promise<string> =>
      asTenant(stage.db, owner, async (sql) => {
        const [id, ruleId, triggerId] = [newId(), newId(), newId()];
        const resolvedMs = resolvedDaysAgo === null ? null : nowMs - resolvedDaysAgo * DAY_MS;
        await sql`
          insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at, resolved_at)
          values (${owner}, ${id}, ${ruleId}, 'k', 'n', '{}', '{}', 'threshold', ${resolvedMs === null ? 'active' : 'resolved'}, 'info', '{}', now(), now(), to_timestamp(${resolvedMs}::float8 / 1000))`;
        await sql`
          insert into triggers (tenant_id, id, alert_id, rule_id, seq, kind, severity, slot_at, snapshot, status)
          values (${owner}, ${triggerId}, ${id}, ${ruleId}, 1, 'fired', 'info', now(), '{}', 'planned')`;
        await sql`
          insert into deliveries (tenant_id, id, trigger_id, alert_id, channel_key, channel_kind, kind, status, expires_at)
          values (${owner}, ${newId()}, ${triggerId}, ${id}, 'c', 'inbox', 'fired', ${deliveryStatus}, now())`;
        return id;
      });
    const idempotencyKey = (key: string, hoursAgo: number) =>
      asTenant(
        stage.db,
        tenantId,
        (sql) => sql`
        insert into idempotency_keys (tenant_id, route, key, request_hash, status, response, created_at)
        values (${tenantId}, 'r', ${key}, 'x'::bytea, 200, '{}', now() - make_interval(hours => ${hoursAgo}::int))`,
      );
    const over = await alert(tenantId, 91, 'delivered');
    await alert(tenantId, 731, 'dead');
    const pending = await alert(tenantId, 91, 'retrying');
    const timed = await alert(tenantId, 91, 'delivered');
    await asTenant(
      stage.db,
      tenantId,
      (sql) =>
        sql`insert into alert_timers (tenant_id, id, alert_id, kind, due_at) values (${tenantId}, ${newId()}, ${timed}, 'reminder', now())`,
    );
    const young = await alert(tenantId, 89, 'delivered');
    const open = await alert(tenantId, null, 'delivered');
    const others = await alert(bystander, 91, 'delivered');
    await idempotencyKey('old', 25);
    await idempotencyKey('new', 23);
    await asTenant(
      stage.db,
      tenantId,
      (sql) => sql`
        insert into event_names (tenant_id, name, last_seen_at)
        values (${tenantId}, 'gone', now() - interval '31 days'), (${tenantId}, 'current', now() - interval '29 days')`,
    );
    const hourAgo = (days: number) => stage.db.sql`date_trunc('hour', now()) - make_interval(days => ${days}::int)`;
    await asTenant(stage.db, tenantId, async (sql) => {
      await sql`
        insert into partial_keys (tenant_id, key, kind, query, needed_at)
        values (${tenantId}, 'needed', 'partial', '{}', now() - interval '6 days'), (${tenantId}, 'unneeded', 'history', '{}', now() - interval '8 days')`;
      for (const key of ['needed', 'unneeded']) {
        await sql`
          insert into partials (tenant_id, key, hour_at, version, body)
          values (${tenantId}, ${key}, ${hourAgo(31)}, 0, 'x'), (${tenantId}, ${key}, ${hourAgo(29)}, 0, 'x')`;
      }
      await sql`insert into hour_versions (tenant_id, hour_at, version) values (${tenantId}, ${hourAgo(31)}, 1), (${tenantId}, ${hourAgo(29)}, 2)`;
    });

    await Promise.all([1, 2].map(() => archiveOld(deps, [tenantId], new AbortController().signal)));
    await Promise.all([1, 2].map(() => deleteOld(deps, [tenantId], new AbortController().signal)));

    const left = (owner: string, table: string) => asTenant(stage.db, owner, (sql) => sql<{ id: string }[]>`select * from ${sql(table)}`);
    expect((await left(tenantId, 'alerts')).map((row) => row.id).toSorted()).toEqual([pending, timed, young, open].toSorted());
    expect(await left(tenantId, 'triggers')).toHaveLength(4);
    expect(await left(tenantId, 'deliveries')).toHaveLength(4);
    expect(await left(tenantId, 'archived_alerts')).toMatchObject([
      { id: over, status: 'resolved', deliveries: [{ channel: 'c', kind: 'inbox', told: 'fired', status: 'delivered' }] },
    ]);
    expect(await left(bystander, 'archived_alerts')).toEqual([]);
    expect((await left(bystander, 'alerts')).map((row) => row.id)).toEqual([others]);
    expect(await left(tenantId, 'idempotency_keys')).toMatchObject([{ key: 'new' }]);
    expect(await left(tenantId, 'event_names')).toMatchObject([{ name: 'current' }]);
    expect(await left(tenantId, 'hour_versions')).toMatchObject([{ version: 2 }]);
    expect(await left(tenantId, 'partial_keys')).toMatchObject([{ key: 'needed' }]);
    expect(await left(tenantId, 'partials')).toHaveLength(1);
  });
});
