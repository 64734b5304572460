import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from './new-id.ts';
import type { Database } from './open-database.ts';
import { readBacklog } from './queries/backlog.ts';
import { takeDueWork, tenantsAfter } from './queries/due-work.ts';
import { lockDueSchedules, nextDue } from './queries/schedules.ts';
import { setTenants, type SqlTx, withPipeline, withTenantsSql } from './with-tenants.ts';

let test: TestDatabase;
let db: Database;

beforeAll(async () => {
  test = await testDatabase();
  db = test.db;
});

afterAll(() => test.drop());

/** Each test starts with tenants of its own and nothing else due. */
let a: string;
let b: string;

beforeEach(async () => {
  db.clock.shiftMs = 0;
  const before = await withPipeline(db, (sql) => tenantsAfter(sql, null, 1000));
  await withTenantsSql(db, before, async (sql) => {
    await sql`update schedules set next_slot_at = null, backed_off_until = null`;
    await sql`update runs set status = 'done'`;
    await sql`delete from alerts`;
    await sql`delete from deliveries`;
  });
  a = (await makeTenant(db)).tenantId;
  b = (await makeTenant(db)).tenantId;
});

const asTenant = <T>(id: string, work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(db, [id], work);
const take = (limit = 1000) => withPipeline(db, (sql) => takeDueWork(sql, limit));

/** Tenant's next slot, `ms` from now. */
const scheduleIn = (id: string, ms: number, backedOffMs: number | null = null) =>
  asTenant(
    id,
    (sql) => sql`
      update schedules set next_slot_at = tocsin_now() + make_interval(secs => ${ms}::float8 / 1000),
        backed_off_until = tocsin_now() + make_interval(secs => ${backedOffMs}::float8 / 1000)`,
  );

async function addRun(tenantId: string, slotAgoMs: number, status = 'queued'): Promise<string> {
  const id = newId();
  await asTenant(
    tenantId,
    (sql) => sql`
      insert into runs (tenant_id, slot_at, id, status) values (${tenantId}, tocsin_now() - make_interval(secs => ${slotAgoMs}::float8 / 1000), ${id}, ${status})`,
  );
  return id;
}

async function addTrigger(tenantId: string): Promise<{ alertId: string; triggerId: string }> {
  const [alertId, triggerId] = [newId(), newId()];
  await asTenant(tenantId, async (sql) => {
    await sql`
      insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at)
      values (${tenantId}, ${alertId}, ${newId()}, 'r', 'R', '{}', '{}', 'threshold', 'triggered', 'warning', '{}', tocsin_now(), tocsin_now())`;
    await sql`
      insert into triggers (tenant_id, id, alert_id, rule_id, seq, kind, severity, slot_at, snapshot)
      values (${tenantId}, ${triggerId}, ${alertId}, ${newId()}, 1, 'fired', 'warning', tocsin_now(), '{}')`;
  });
  return { alertId, triggerId };
}

async function addDelivery(tenantId: string, dueInMs: number): Promise<string> {
  const id = newId();
  await asTenant(
    tenantId,
    (sql) => sql`
      insert into deliveries (tenant_id, id, channel_key, channel_kind, kind, next_attempt_at, expires_at)
      values (${tenantId}, ${id}, 'c', 'webhook', 'test', tocsin_now() + make_interval(secs => ${dueInMs}::float8 / 1000), tocsin_now() + interval '1 day')`,
  );
  return id;
}

describe('due schedules', () => {
  it('are locked for one scheduler and left out for the others, until its transaction ends', async () => {
    await scheduleIn(a, -1_000);
    await scheduleIn(b, -2_000);
    await withPipeline(db, async (first) => {
      expect(await lockDueSchedules(first, 1)).toEqual([b]);
      await withPipeline(db, async (second) => expect(await lockDueSchedules(second, 10)).toEqual([a]));
      await setTenants(first, [b]);
      await first`update schedules set next_slot_at = tocsin_now() + interval '1 minute'`;
    });
    expect(await withPipeline(db, (sql) => lockDueSchedules(sql, 10))).toEqual([a]);
  });

  it('are not due before their time, without a rule, or while backed off', async () => {
    await scheduleIn(a, 30_000);
    await scheduleIn(b, -1_000, 60_000);
    expect(await withPipeline(db, (sql) => lockDueSchedules(sql, 10))).toEqual([]);
    const { dueMs, nowMs } = await withPipeline(db, nextDue);
    expect(dueMs! - nowMs).toBeGreaterThan(25_000);
    expect(dueMs! - nowMs).toBeLessThanOrEqual(30_000);
    db.clock.shiftMs = 61_000;
    expect(await withPipeline(db, (sql) => lockDueSchedules(sql, 10))).toEqual([a, b]);
  });

  it('have no next time when there is nothing to evaluate', async () => {
    expect((await withPipeline(db, nextDue)).dueMs).toBeNull();
  });
});

describe('the sweep hints again', () => {
  it.each([5, 10, 20, 40, 80, 160, 300, 300, 300].map((waitS, hints) => ({ hints, waitS })))(
    'a run that nobody took, $waitS s after it was hinted for the time $hints + 1',
    async ({ hints, waitS }) => {
      const id = await addRun(a, 0);
      await asTenant(a, (sql) => sql`update runs set hints = ${hints}`);
      db.clock.shiftMs = (waitS - 3) * 1_000;
      expect((await take()).runs).toEqual([]);
      db.clock.shiftMs = (waitS + 1) * 1_000;
      expect((await take()).runs).toEqual([{ tenantId: a, id }]);
      const [run] = await asTenant(
        a,
        (sql) => sql<{ hints: number; isStamped: boolean }[]>`select hints, hinted_at > created_at as "isStamped" from runs`,
      );
      expect(run).toEqual({ hints: hints + 1, isStamped: true });
    },
  );

  it('no run while it is leased, and no later run of its tenant before it has ended', async () => {
    const earlier = await addRun(a, 60_000);
    const later = await addRun(a, 0);
    const other = await addRun(b, 0);
    db.clock.shiftMs = 6_000;
    expect((await take()).runs.map((run) => run.id).sort()).toEqual([earlier, other].sort());
    await asTenant(
      a,
      (sql) => sql`update runs set status = 'running', lease_until = tocsin_now() + interval '100 s' where id = ${earlier}`,
    );
    db.clock.shiftMs = 60_000;
    expect((await take()).runs.map((run) => run.id)).toEqual([other]);
    await asTenant(a, (sql) => sql`update runs set status = 'failed' where id = ${earlier}`);
    expect((await take()).runs.map((run) => run.id)).toEqual([later]);
  });

  it('a run whose lease ran out', async () => {
    const id = await addRun(a, 0);
    await asTenant(a, (sql) => sql`update runs set status = 'running', lease_until = tocsin_now() + interval '10 s'`);
    db.clock.shiftMs = 9_000;
    expect((await take()).runs).toEqual([]);
    db.clock.shiftMs = 11_000;
    expect((await take()).runs).toEqual([{ tenantId: a, id }]);
  });

  it('a trigger that waits to be planned, and none that is', async () => {
    const { triggerId } = await addTrigger(a);
    const planned = await addTrigger(b);
    await asTenant(b, (sql) => sql`update triggers set status = 'planned' where id = ${planned.triggerId}`);
    expect((await take()).triggers).toEqual([]);
    db.clock.shiftMs = 6_000;
    expect((await take()).triggers).toEqual([{ tenantId: a, id: triggerId }]);
    expect((await take()).triggers).toEqual([]);
  });

  it('a trigger to which a row being written refers, and holds up no such row itself', async () => {
    const { triggerId } = await addTrigger(a);
    db.clock.shiftMs = 6_000;
    const refer = (sql: SqlTx) => sql`
      insert into deliveries (tenant_id, id, trigger_id, channel_key, channel_kind, kind, expires_at)
      values (${a}, ${newId()}, ${triggerId}, ${newId()}, 'webhook', 'fired', tocsin_now())`;
    await asTenant(a, async (writing) => {
      await refer(writing);
      await withPipeline(db, async (sweeping) => {
        expect((await takeDueWork(sweeping, 10)).triggers).toEqual([{ tenantId: a, id: triggerId }]);
        await asTenant(a, async (another) => {
          await another`set local lock_timeout = '500ms'`;
          await refer(another);
        });
      });
    });
  });

  it('a delivery 5 s after its attempt fell due, however often it was hinted before', async () => {
    const id = await addDelivery(a, 3_600_000);
    await asTenant(a, (sql) => sql`update deliveries set hints = 9`);
    db.clock.shiftMs = 3_604_000;
    expect((await take()).deliveries).toEqual([]);
    db.clock.shiftMs = 3_606_000;
    expect((await take()).deliveries).toEqual([{ tenantId: a, id }]);
    db.clock.shiftMs = 3_610_000;
    expect((await take()).deliveries).toEqual([]);
    db.clock.shiftMs = 3_617_000;
    expect((await take()).deliveries).toEqual([{ tenantId: a, id }]);
    await asTenant(a, (sql) => sql`update deliveries set status = 'delivered'`);
    db.clock.shiftMs = 7_200_000;
    expect((await take()).deliveries).toEqual([]);
  });

  it('a timer at the moment it falls due, and afresh when it was set again', async () => {
    const { alertId } = await addTrigger(a);
    const id = newId();
    await asTenant(
      a,
      (sql) =>
        sql`insert into alert_timers (tenant_id, id, alert_id, kind, due_at) values (${a}, ${id}, ${alertId}, 'reminder', tocsin_now() + interval '1 h')`,
    );
    expect((await take()).alertTimers).toEqual([]);
    db.clock.shiftMs = 3_600_500;
    expect((await take()).alertTimers).toEqual([{ tenantId: a, id }]);
    expect((await take()).alertTimers).toEqual([]);
    await asTenant(a, (sql) => sql`update alert_timers set due_at = due_at + interval '1 h'`);
    db.clock.shiftMs = 7_200_500;
    expect((await take()).alertTimers).toEqual([{ tenantId: a, id }]);
  });

  it('no more than asked for, and no row to two sweeps at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => addDelivery(a, 0)));
    db.clock.shiftMs = 6_000;
    const sweeps = await Promise.all([take(5), take(5), take(5), take(50)]);
    const ids = sweeps.flatMap((sweep) => sweep.deliveries.map((row) => row.id));
    for (const sweep of sweeps.slice(0, 3)) expect(sweep.deliveries.length).toBeLessThanOrEqual(5);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids, ...(await take()).deliveries.map((row) => row.id)]).toHaveLength(20);
  });
});

describe('looking across tenants', () => {
  it('answers tenants in the order of their ids, page by page', async () => {
    const all = await withPipeline(db, (sql) => tenantsAfter(sql, null, 1000));
    expect(all).toEqual([...all].sort());
    expect(all).toContain(a);
    const pages: string[] = [];
    for (let page = all.slice(0, 0), after: string | null = null; ; after = page.at(-1)!) {
      page = await withPipeline(db, (sql) => tenantsAfter(sql, after, 3));
      if (page.length === 0) break;
      pages.push(...page);
    }
    expect(pages).toEqual(all);
  });

  it('counts what is unfinished and says nothing of whose it is', async () => {
    await addRun(a, 0);
    await addRun(b, 0, 'running');
    await addTrigger(a);
    await addDelivery(a, 0);
    await addDelivery(b, 3_600_000);
    const rows = (await withPipeline(db, readBacklog)).map(({ oldestMs, ...row }) => ({ ...row, isOld: Date.now() - oldestMs > 60_000 }));
    expect(rows).toEqual([
      { kind: 'deliveries', status: 'pending', waiting: 2, isOld: false },
      { kind: 'runs', status: 'queued', waiting: 1, isOld: false },
      { kind: 'runs', status: 'running', waiting: 1, isOld: false },
      { kind: 'triggers', status: 'pending', waiting: 1, isOld: false },
    ]);
  });

  it('leaves the caller as blind as it was', async () => {
    await addRun(a, 0);
    db.clock.shiftMs = 6_000;
    await withPipeline(db, async (sql) => {
      expect((await takeDueWork(sql, 10)).runs).toHaveLength(1);
      expect(await sql`select from runs`).toHaveLength(0);
    });
    await expect(withPipeline(db, (sql) => sql`set local role tocsin_pipeline`)).rejects.toMatchObject({ code: '42501' });
  });
});
