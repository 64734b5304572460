import { leaseRuns, newId, withTenantsSql, type Leases } from '@tocsin/db';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { addRule, asTenant, openStage, tenantWith, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { UNFINISHED_MAX } from '../schedule/claim-slots.ts';
import { queueRun } from '../schedule/queue-run.ts';
import { queueArrival, type AwaitedRun } from './queue-arrival.ts';

const EVERY_MS = 600_000;

describeQueues('arrival runs, before anybody evaluates them', (backend) => {
  let stage: Stage;
  let tenantId: string;
  let rules: [string, string];
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  beforeEach(async () => {
    tenantId = await tenantWith(stage.db, EVERY_MS);
    rules = [await addRule(stage.db, tenantId), await addRule(stage.db, tenantId, { key: 'other' })];
    // Long before the next slot.
    const [row] = await asTenant(stage.db, tenantId, (sql) => sql<{ next: number }[]>`select next_slot_at as next from schedules`);
    stage.db.clock.shiftMs += row!.next - Date.now() + 50;
    await claimDueSlots(stage.deps);
    await asTenant(stage.db, tenantId, (sql) => sql`update runs set status = 'done', finished_at = tocsin_now()`);
    stage.db.clock.shiftMs += 10_000;
  });
  afterEach(() => stage.clear());

  const arrive = async (...ruleIds: string[]): Promise<AwaitedRun> => {
    const run = await queueArrival(stage.deps, { tenantId, ruleIds, endsAtMs: 0 });
    if (run === null || run === 'busy') throw new Error(`no run: ${run}`);
    return run;
  };
  const lease = (): Promise<Leases> =>
    withTenantsSql(stage.db, [tenantId], (sql) => leaseRuns(sql, [{ tenantId, token: newId() }], 10_000));
  const waiting = () =>
    asTenant(
      stage.db,
      tenantId,
      (sql) => sql`
        select slot_at as "slotMs", status, reason, (select array_agg(id order by id) from unnest(rule_ids) id) as "ruleIds"
        from runs where kind = 'arrival' order by slot_at`,
    );

  test('the first is for now; all that arrives within a second of it is of one run at the end of that second, which nobody has before its time', async () => {
    const first = await arrive(rules[0]);
    expect(first.inMs).toBe(0);
    const [second, third] = [await arrive(rules[0]), await arrive(rules[1])];
    expect([second.slotMs, third.slotMs]).toEqual([first.slotMs + 1_000, first.slotMs + 1_000]);
    expect(third.ruleIds.toSorted()).toEqual(rules.toSorted());
    const { leased } = await lease();
    expect(leased).toMatchObject([{ kind: 'arrival', ruleIds: [rules[0]] }]);
    await asTenant(stage.db, tenantId, (sql) => sql`update runs set status = 'done', finished_at = tocsin_now() where status = 'running'`);
    const early = await lease();
    expect(early).toMatchObject({ leased: [], early: [{ tenantId }] });
    expect(early.early[0]!.inMs).toBeGreaterThan(0);
    stage.db.clock.shiftMs += 1_000;
    const due = await lease();
    expect(due.early).toEqual([]);
    expect(due.leased[0]!.ruleIds!.toSorted()).toEqual(rules.toSorted());
  });

  test('asked for by many at once they are as few: one a second, after the first, which between them look at all', async () => {
    const startedMs = Date.now();
    const asked = await Promise.all(Array.from({ length: 20 }, (_, index) => arrive(rules[index % 2]!)));
    const seconds = Math.floor((Date.now() - startedMs) / 1_000);
    expect(new Set(asked.map(({ slotMs }) => slotMs)).size).toBeLessThanOrEqual(2 + seconds);
    const later = (await waiting()).slice(1).flatMap(({ ruleIds }) => ruleIds as string[]);
    expect([...new Set(later)].toSorted()).toEqual(rules.toSorted());
  });

  test('where evaluators do not keep up, the newest looks for those that nobody has begun with', async () => {
    const first = await arrive(rules[0]);
    for (let second = 0; second < 3; second += 1) {
      stage.db.clock.shiftMs += 2_000;
      await arrive(rules[1]);
    }
    const rows = await waiting();
    expect(rows.map(({ status, reason }) => [status, reason])).toEqual([
      ['skipped', 'overtaken'],
      ['skipped', 'overtaken'],
      ['skipped', 'overtaken'],
      ['queued', null],
    ]);
    expect(rows[3]!['ruleIds']).toEqual(rules.toSorted());
    expect(rows[3]!['slotMs']).toBeGreaterThanOrEqual(first.slotMs + 6_000);
  });

  test('one that somebody holds is not overtaken', async () => {
    await arrive(rules[0]);
    await lease();
    stage.db.clock.shiftMs += 2_000;
    await arrive(rules[1]);
    expect((await waiting()).map(({ status }) => status)).toEqual(['running', 'queued']);
  });

  test('a run that is to come makes no slot of the schedule early and takes none’s place', async () => {
    const first = await arrive(rules[0]);
    await arrive(rules[0]);
    await asTenant(
      stage.db,
      tenantId,
      (sql) => sql`update schedules set next_slot_at = to_timestamp(${first.slotMs + 1_001}::float8 / 1000)`,
    );
    const manual = await queueRun(stage.deps, { tenantId, kind: 'manual', ruleIds: null, actor: null });
    expect(manual).toMatchObject({ slotMs: first.slotMs + 1_002 });
    const kinds = () => asTenant(stage.db, tenantId, (sql) => sql`select kind from runs where status = 'queued' order by slot_at`);
    expect((await kinds()).map(({ kind }) => kind)).toEqual(['arrival', 'arrival', 'manual']);
    stage.db.clock.shiftMs += 1_500;
    await claimDueSlots(stage.deps);
    expect((await kinds()).map(({ kind }) => kind)).toEqual(['arrival', 'arrival', 'scheduled', 'manual']);
  });

  test('a tenant of too many unfinished runs gets no more', async () => {
    for (let count = 0; count < UNFINISHED_MAX; count += 1) {
      await queueRun(stage.deps, { tenantId, kind: 'manual', ruleIds: null, actor: null });
    }
    expect(await queueArrival(stage.deps, { tenantId, ruleIds: [rules[0]], endsAtMs: 0 })).toBe('busy');
  });
});
