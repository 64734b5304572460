import { leaseRuns, newId, renewRunLeases, withTenantsSql } from '@tocsin/db';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { LEASE_MS, whileLeased } from '../while-leased.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { evaluationOf } from './start-evaluator.ts';

const EVERY_MS = 600_000;

describeQueues('evaluating a batch', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  const evaluate = (tenantIds: readonly string[]) => evaluateBatch(evaluationOf(stage.deps), tenantIds);

  /** Tenants whose next slot is claimed. */
  const dueTenants = async (count: number, rules = 1): Promise<string[]> => {
    const ids = await Promise.all(Array.from({ length: count }, () => tenantWith(stage.db, EVERY_MS)));
    for (const id of ids) for (let rule = 0; rule < rules; rule += 1) await addRule(stage.db, id, { key: `r${rule}` });
    stage.db.clock.shiftMs += EVERY_MS;
    await claimDueSlots(stage.deps);
    return ids;
  };

  const statements = async (work: () => Promise<unknown>): Promise<string[]> => {
    const seen: string[] = [];
    stage.db.sql.options.debug = (_connection, query) => void seen.push(query);
    await work();
    stage.db.sql.options.debug = false;
    return seen;
  };

  test('takes as many statements and as many reads for 40 tenants of 8 rules that all fire as for one of one', async () => {
    stage.source.answer = () => 500;
    const one = await dueTenants(1);
    const few = await statements(() => evaluate(one));
    const many = await dueTenants(40, 8);
    const readsBefore = stage.source.reads;
    const all = await statements(() => evaluate(many));
    expect(stage.source.reads - readsBefore).toBe(1);
    expect(all.length).toBe(few.length);
    expect(all.length).toBeLessThan(30);
    for (const tenantId of many) expect(await triggersOf(stage.db, tenantId)).toHaveLength(8);
  });

  test('of a batch that fails at its commit only the run that is to blame fails', async () => {
    stage.source.answer = () => 500;
    const [poison = '', ...others] = await dueTenants(4);
    // NUL cannot be stored as text: the evaluator must survive a source that answers with it.
    stage.source.answer = (tenantId) => (tenantId === poison ? { kind: 'failed', code: 'bad', message: 'a\0b' } : 500);
    const again = await evaluate([poison, ...others]);
    expect([...again.keys()]).toEqual([poison]);
    for (const tenantId of others) expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'done', attempts: 1, triggers: 1 }]);
    expect(await runsOf(stage.db, poison)).toMatchObject([{ status: 'queued', attempts: 1 }]);
    expect((await runsOf(stage.db, poison))[0]?.reason).toMatch(/^database_error_22/);
  });

  const endedForItsTime = () =>
    stage.db.sql.begin(async (sql) => {
      await sql`set local statement_timeout = 20`;
      await sql`select pg_sleep(10)`;
    });

  test('a server too slow for every run of a batch is to blame, and costs none of them an attempt', async () => {
    const ids = await dueTenants(3);
    stage.source.before = endedForItsTime;
    const again = await evaluate(ids);
    expect([...again.keys()].toSorted()).toEqual(ids.toSorted());
    for (const tenantId of ids) expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'queued', attempts: 0 }]);
  });

  test('a run too slow for the server is to blame itself when others of its batch are not', async () => {
    const ids = await dueTenants(3);
    stage.source.before = async (requests) => void (requests.some(({ tenantId }) => tenantId === ids[1]) && (await endedForItsTime()));
    expect([...(await evaluate(ids)).keys()]).toEqual([ids[1]]);
    expect(await runsOf(stage.db, ids[1]!)).toMatchObject([{ status: 'queued', attempts: 1, reason: 'database_error_57014' }]);
    for (const tenantId of [ids[0]!, ids[2]!]) expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'done', attempts: 1 }]);
  });

  test('of a batch that one tenant holds up the others are done while its queries still run', async () => {
    const [slow = '', ...others] = (await dueTenants(6)).toSorted();
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    stage.source.before = async (requests) => {
      if (!requests.some((request) => request.tenantId === slow)) return;
      if (requests.length > 1) throw new Error('too slow together');
      await held;
    };
    const evaluating = evaluate([slow, ...others]);
    try {
      await vi.waitFor(async () => {
        for (const tenantId of others) expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'done', attempts: 1 }]);
      }, 45_000);
      expect(await runsOf(stage.db, slow)).toMatchObject([{ status: 'running' }]);
    } finally {
      letGo();
      await evaluating;
    }
    expect(await runsOf(stage.db, slow)).toMatchObject([{ status: 'done' }]);
  });

  const lease = async (tenantIds: readonly string[], wanted: readonly { tenantId: string; token: string }[]) =>
    (await withTenantsSql(stage.db, tenantIds, (sql) => leaseRuns(sql, wanted, LEASE_MS))).leased;

  test('a later run cannot be leased while an earlier one of its tenant is unfinished', async () => {
    const [tenantId = ''] = await dueTenants(1);
    stage.db.clock.shiftMs += EVERY_MS;
    await claimDueSlots(stage.deps);
    const leaseNext = () => lease([tenantId], [{ tenantId, token: newId() }]);
    const [first, second] = await runsOf(stage.db, tenantId);
    expect((await leaseNext()).map((run) => run.id)).toEqual([first!.id]);
    expect(await leaseNext()).toEqual([]);
    await asTenant(stage.db, tenantId, (sql) => sql`update runs set status = 'done', lease_token = null where id = ${first!.id}`);
    expect(await leaseNext()).toMatchObject([{ id: second!.id, observedSlotMs: first!.slotMs }]);
  });

  test('what a run covers begins after the newest run that succeeded, and the earliest unfinished run comes first, however old either is', async () => {
    const [tenantId = ''] = await dueTenants(1);
    const [newest] = await runsOf(stage.db, tenantId);
    const past = (hours: number, status: string) =>
      asTenant(
        stage.db,
        tenantId,
        (sql) => sql`
          insert into runs (tenant_id, slot_at, id, status)
          select tenant_id, slot_at - make_interval(hours => ${hours}::int), ${newId()}::uuid, ${status}::text from runs where id = ${newest!.id}`,
      );
    await past(60, 'done');
    await past(50, 'failed');
    const leaseNext = async () => (await lease([tenantId], [{ tenantId, token: newId() }]))[0];
    expect(await leaseNext()).toMatchObject({ id: newest!.id, observedSlotMs: newest!.slotMs - 60 * 3_600_000 });
    await asTenant(stage.db, tenantId, (sql) => sql`update runs set status = 'queued', lease_until = null where id = ${newest!.id}`);
    await past(40, 'queued');
    expect(await leaseNext()).toMatchObject({ slotMs: newest!.slotMs - 40 * 3_600_000, observedSlotMs: newest!.slotMs - 60 * 3_600_000 });
    expect(await leaseNext()).toBeUndefined();
  });

  test('two who lease the same hundred runs at once share them out', async () => {
    const ids = await dueTenants(100);
    const leaseAll = (tenantIds: readonly string[]) =>
      lease(
        ids,
        tenantIds.map((tenantId) => ({ tenantId, token: newId() })),
      );
    const leased = (await Promise.all([leaseAll(ids), leaseAll(ids.toReversed()), leaseAll(ids)])).flat();
    expect(leased.map((run) => run.tenantId).toSorted()).toEqual(ids.toSorted());
  });

  test('a run whose process died is evaluated alone from then on: what kills an evaluator takes no other tenant along twice', async () => {
    const ids = await dueTenants(4);
    // All four were in hand when their process died.
    const wanted = ids.map((tenantId) => ({ tenantId, token: newId() }));
    expect(await lease(ids, wanted)).toHaveLength(4);
    stage.db.clock.shiftMs += LEASE_MS + 1_000;
    const fresh = await dueTenants(2);
    stage.db.clock.shiftMs += LEASE_MS + 1_000;
    const readTogether: number[] = [];
    const heldMeanwhile: number[] = [];
    stage.source.before = async (requests) => {
      readTogether.push(requests.length);
      const all = [...ids, ...fresh];
      const rows = await withTenantsSql(stage.db, all, (sql) => sql`select from runs where lease_until > tocsin_now()`);
      heldMeanwhile.push(rows.length);
    };
    await evaluate([...ids, ...fresh]);
    expect(readTogether.toSorted((a, b) => b - a)).toEqual([2, 1, 1, 1, 1]);
    expect(heldMeanwhile).toEqual(readTogether);
    for (const tenantId of ids) expect((await runsOf(stage.db, tenantId))[0]).toMatchObject({ status: 'late', attempts: 2 });
  });

  test('leases are renewed while work goes on', async () => {
    const [tenantId = ''] = await dueTenants(1);
    const token = newId();
    const runs = await lease([tenantId], [{ tenantId, token }]);
    const leaseUntil = async (): Promise<number> =>
      (await asTenant(stage.db, tenantId, (sql) => sql<{ until: number }[]>`select lease_until as until from runs`))[0]!.until;
    const before = await leaseUntil();
    const clock = { ...stage.deps.clock, sleep: (_ms: number, signal: AbortSignal) => stage.deps.clock.sleep(20, signal) };
    const renew = () =>
      withTenantsSql(
        stage.db,
        runs.map((run) => run.tenantId),
        (sql) => renewRunLeases(sql, runs, LEASE_MS),
      );
    await whileLeased({ ...stage.deps, clock }, renew, () =>
      vi.waitFor(async () => expect(await leaseUntil()).toBeGreaterThan(before), 5_000),
    );
  });

  test('a rule that looks more rarely than its tenant is evaluated at its own slots, and made up for when a run failed', async () => {
    const tenantId = await tenantWith(stage.db, 60_000);
    await addRule(stage.db, tenantId);
    await addRule(stage.db, tenantId, { key: 'rare', every: '5m' });
    const counts: (number | null)[] = [];
    for (let minute = 0; minute < 12; minute += 1) {
      stage.db.clock.shiftMs += 60_000;
      await claimDueSlots(stage.deps);
      await evaluate([tenantId]);
      counts.push((await runsOf(stage.db, tenantId)).at(-1)!.rules);
    }
    expect(counts.filter((rules) => rules === 2).length).toBeGreaterThanOrEqual(2);
    expect(counts.filter((rules) => rules === 2).length).toBeLessThanOrEqual(3);
    const twice = counts.lastIndexOf(2);
    // Let the run that is due for the rare rule next fail for good.
    for (let minute = counts.length; minute < twice + 5; minute += 1) {
      stage.db.clock.shiftMs += 60_000;
      await claimDueSlots(stage.deps);
      await evaluate([tenantId]);
    }
    stage.db.clock.shiftMs += 60_000;
    await claimDueSlots(stage.deps);
    await asTenant(stage.db, tenantId, (sql) => sql`update runs set status = 'failed' where status = 'queued'`);
    stage.db.clock.shiftMs += 60_000;
    await claimDueSlots(stage.deps);
    await evaluate([tenantId]);
    expect((await runsOf(stage.db, tenantId)).at(-1)).toMatchObject({ status: 'done', rules: 2 });
  });

  test('a run is late when its tenant’s next slot came before its end, also where a rule looks more often than the tenant', async () => {
    const tenantId = await tenantWith(stage.db, 60_000);
    await addRule(stage.db, tenantId, { every: '10s' });
    await asTenant(stage.db, tenantId, (sql) => sql`update schedules set slot_every_ms = 10000`);
    for (const [waitedMs, status] of [
      [0, 'done'],
      [15_000, 'late'],
    ] as const) {
      stage.db.clock.shiftMs += 60_000;
      await claimDueSlots(stage.deps);
      stage.db.clock.shiftMs += waitedMs;
      await evaluate([tenantId]);
      expect((await runsOf(stage.db, tenantId)).findLast((run) => run.status !== 'skipped')).toMatchObject({ status });
    }
  });

  test('a reminder is set when an alert fires and dropped when it ends', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, tenantId, { remindEvery: '4h' });
    const timers = () => asTenant(stage.db, tenantId, (sql) => sql<{ due: number }[]>`select due_at as due from alert_timers`);
    const slotWith = async (value: number): Promise<void> => {
      stage.source.answer = () => value;
      stage.db.clock.shiftMs += EVERY_MS;
      await claimDueSlots(stage.deps);
      await evaluate([tenantId]);
    };
    await slotWith(500);
    const [run] = await runsOf(stage.db, tenantId);
    expect(await timers()).toEqual([{ due: run!.slotMs + 4 * 3_600_000 }]);
    await slotWith(600);
    expect(await timers()).toEqual([{ due: run!.slotMs + 4 * 3_600_000 }]);
    await slotWith(0);
    expect(await timers()).toEqual([]);
  });

  test('another tenant’s rows are neither read nor written', async () => {
    const [a = '', b = ''] = await dueTenants(2);
    await evaluate([a]);
    expect(await runsOf(stage.db, a)).toMatchObject([{ status: 'done' }]);
    expect(await runsOf(stage.db, b)).toMatchObject([{ status: 'queued', attempts: 0 }]);
  });
});
