import { leaseRuns, newId, withTenantsSql } from '@tocsin/db';
import type { Consumer } from '@tocsin/queue';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { startEvaluator } from '../evaluate/start-evaluator.ts';
import { claimDueSlots } from './claim-due-slots.ts';
import { UNFINISHED_MAX } from './claim-slots.ts';
import { queueRun, type QueuedRun } from './queue-run.ts';

/** Long against the time a test takes, so that no slot falls due by itself. */
const EVERY_MS = 600_000;

describeQueues('runs that are not scheduled', (backend) => {
  let stage: Stage;
  let evaluator: Consumer | null;
  let tenantId: string;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  beforeEach(async () => {
    evaluator = null;
    tenantId = await tenantWith(stage.db, EVERY_MS);
  });
  afterEach(async () => {
    await evaluator?.close();
    await stage.clear();
  });

  const evaluate = async (): Promise<void> => {
    evaluator = startEvaluator(stage.deps);
    await evaluator.ready();
  };
  const ask = (kind: 'manual' | 'arrival' = 'manual', ruleIds: string[] | null = null): Promise<QueuedRun | 'busy' | null> =>
    queueRun(stage.deps, { tenantId, kind, ruleIds, actor: 'someone' });
  const asked = async (...run: Parameters<typeof ask>): Promise<QueuedRun> => {
    const queued = await ask(...run);
    if (queued === null || queued === 'busy') throw new Error(`no run: ${queued}`);
    return queued;
  };
  const passSlot = async (): Promise<void> => {
    stage.db.clock.shiftMs += EVERY_MS;
    await claimDueSlots(stage.deps);
  };
  /** Moves the clock right behind the next slot, however long that is. */
  const atNextSlot = async (): Promise<void> => {
    const [schedule] = await asTenant(stage.db, tenantId, (sql) => sql<{ next: number }[]>`select next_slot_at as next from schedules`);
    stage.db.clock.shiftMs = schedule!.next - Date.now() + 50;
    await claimDueSlots(stage.deps);
  };
  const untilEnded = (runs: number): Promise<void> =>
    vi.waitFor(
      async () => {
        const found = await runsOf(stage.db, tenantId);
        expect(found.map(({ status }) => status)).toEqual(Array.from({ length: runs }, () => 'done'));
      },
      { timeout: 45_000, interval: 20 },
    );
  const kindsOf = () =>
    asTenant(stage.db, tenantId, (sql) => sql`select kind, status, reason, skipped_count as count from runs order by slot_at`);

  test('a run that is asked for evaluates every enabled rule now, due or not, and the schedule goes on as if it had not been', async () => {
    await addRule(stage.db, tenantId);
    await addRule(stage.db, tenantId, { key: 'rare', every: '1d' });
    await evaluate();
    const next = () => asTenant(stage.db, tenantId, (sql) => sql`select next_slot_at, last_slot_at, slot_every_ms from schedules`);
    const before = await next();
    const run = await asked();
    await untilEnded(1);
    expect(await runsOf(stage.db, tenantId)).toMatchObject([{ id: run.id, slotMs: run.slotMs, rules: 2 }]);
    expect(Math.abs(run.slotMs - Date.now())).toBeLessThan(20_000);
    expect(await next()).toEqual(before);
    await passSlot();
    await untilEnded(2);
    expect((await runsOf(stage.db, tenantId))[1]).toMatchObject({ slotMs: before[0]!['next_slot_at'], rules: 1 });
    const audited = await asTenant(stage.db, tenantId, (sql) => sql`select actor, action, subject from audit_events`);
    expect(audited).toEqual([{ actor: 'someone', action: 'run.manual', subject: run.id }]);
  });

  test('`for` counts through it: what it saw counts, and the slot after it counts from it', async () => {
    await addRule(stage.db, tenantId, { for: '12m' });
    stage.source.answer = () => 500;
    await evaluate();
    await atNextSlot();
    await untilEnded(1);
    stage.db.clock.shiftMs += 300_000;
    await asked();
    await untilEnded(2);
    await atNextSlot();
    await untilEnded(3);
    expect(await triggersOf(stage.db, tenantId)).toEqual([]);
    stage.db.clock.shiftMs += 120_000;
    await asked();
    await untilEnded(4);
    expect((await triggersOf(stage.db, tenantId)).map(({ kind }) => kind)).toEqual(['fired']);
    const [last] = await asTenant(stage.db, tenantId, (sql) => sql`select state -> 'unobservedMs' as unobserved from series_states`);
    expect(last).toEqual({ unobserved: 0 });
  });

  test('many asked for at once have a slot each, and are leased one by one after what was due', async () => {
    await addRule(stage.db, tenantId);
    stage.db.clock.shiftMs += EVERY_MS;
    const runs = await Promise.all(Array.from({ length: 6 }, () => asked()));
    expect(new Set(runs.map(({ slotMs }) => slotMs)).size).toBe(6);
    const rows = await kindsOf();
    expect(rows.map((row) => row['kind'])).toEqual(['scheduled', 'manual', 'manual', 'manual', 'manual', 'manual', 'manual']);
    expect(await claimDueSlots(stage.deps)).toMatchObject({ runs: 0 });
    const lease = () => withTenantsSql(stage.db, [tenantId], (sql) => leaseRuns(sql, [{ tenantId, token: newId() }], 10_000));
    expect((await lease()).leased).toMatchObject([{ kind: 'scheduled', ruleIds: null }]);
    expect((await lease()).leased).toEqual([]);
  });

  test('slots before it were not missed where an outside cron says when to look', async () => {
    await addRule(stage.db, tenantId);
    stage.db.clock.shiftMs += 4 * EVERY_MS;
    await queueRun(stage.deps, { tenantId, kind: 'manual', ruleIds: null, actor: null, coversOlder: true });
    const rows = await asTenant(stage.db, tenantId, (sql) => sql`select kind, status, covered_count as covered from runs order by slot_at`);
    expect(rows).toEqual([
      { kind: 'scheduled', status: 'queued', covered: 3 },
      { kind: 'manual', status: 'queued', covered: null },
    ]);
  });

  test('slots that were missed before it are counted as they would have been', async () => {
    await addRule(stage.db, tenantId);
    stage.db.clock.shiftMs += 4 * EVERY_MS;
    await asked();
    expect(await kindsOf()).toEqual([
      { kind: 'scheduled', status: 'skipped', reason: 'missed', count: 3 },
      { kind: 'scheduled', status: 'queued', reason: null, count: null },
      { kind: 'manual', status: 'queued', reason: null, count: null },
    ]);
  });

  test('what a scheduled run covers begins after the newest scheduled one that succeeded, whatever was asked for since', async () => {
    await addRule(stage.db, tenantId);
    await evaluate();
    await passSlot();
    await untilEnded(1);
    for (let count = 2; count <= 4; count += 1) {
      await asked();
      await untilEnded(count);
    }
    await evaluator?.close();
    evaluator = null;
    await passSlot();
    const { leased } = await withTenantsSql(stage.db, [tenantId], (sql) => leaseRuns(sql, [{ tenantId, token: newId() }], 10_000));
    expect(leased).toMatchObject([{ kind: 'scheduled', observedSlotMs: (await runsOf(stage.db, tenantId))[0]!.slotMs }]);
  });

  test('a run for some rules evaluates these and no other, which keep their own slot before', async () => {
    const wanted = await addRule(stage.db, tenantId);
    const other = await addRule(stage.db, tenantId, { key: 'other' });
    await evaluate();
    const run = await asked('arrival', [wanted]);
    await untilEnded(1);
    expect(await runsOf(stage.db, tenantId)).toMatchObject([{ rules: 1 }]);
    const extra = await asTenant(stage.db, tenantId, (sql) => sql`select id, extra_slot_at as slot from rules order by key desc`);
    expect(extra).toEqual([
      { id: wanted, slot: run.slotMs },
      { id: other, slot: null },
    ]);
  });

  test('a rule that is edited while such a run evaluates it was not evaluated', async () => {
    const ruleId = await addRule(stage.db, tenantId);
    stage.source.before = async () =>
      void (await asTenant(stage.db, tenantId, (sql) => sql`update rules set version = version + 1 where id = ${ruleId}`));
    await evaluate();
    await asked();
    await untilEnded(1);
    expect(await asTenant(stage.db, tenantId, (sql) => sql`select extra_slot_at as slot from rules`)).toEqual([{ slot: null }]);
  });

  test('a tenant of too many unfinished runs gets no more, and one that is held back has its slots on record as such', async () => {
    await addRule(stage.db, tenantId);
    for (let count = 0; count < UNFINISHED_MAX; count += 1) await asked();
    expect(await ask()).toBe('busy');
    await asTenant(stage.db, tenantId, (sql) => sql`update runs set status = 'failed'`);
    await asTenant(stage.db, tenantId, (sql) => sql`update schedules set backed_off_until = tocsin_now() + interval '1 hour'`);
    stage.db.clock.shiftMs += 2 * EVERY_MS;
    await asked();
    expect((await kindsOf()).slice(UNFINISHED_MAX)).toEqual([
      { kind: 'scheduled', status: 'skipped', reason: 'backed_off', count: 1 },
      { kind: 'scheduled', status: 'skipped', reason: 'backed_off', count: 1 },
      { kind: 'manual', status: 'queued', reason: null, count: null },
    ]);
  });

  test('of a tenant that is none is nothing', async () => {
    expect(await queueRun(stage.deps, { tenantId: newId(), kind: 'manual', ruleIds: null, actor: null })).toBeNull();
  });
});
