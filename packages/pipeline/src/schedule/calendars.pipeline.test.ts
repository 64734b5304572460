import { refreshSchedule, setSchedule, withTenant } from '@tocsin/db';
import type { Calendar } from '@tocsin/domain';
import type { Consumer } from '@tocsin/queue';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { startEvaluator } from '../evaluate/start-evaluator.ts';
import { claimDueSlots } from './claim-due-slots.ts';
import { queueRun } from './queue-run.ts';

const WEEKDAYS = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'] as const, from: '09:00', to: '10:00' }];

describeQueues('a tenant with a calendar', (backend) => {
  let stage: Stage;
  let evaluator: Consumer | null = null;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(async () => {
    await evaluator?.close();
    evaluator = null;
    await stage.clear();
  });

  const settings = { everyMs: 600_000, debounceMs: 0, timeZone: 'UTC', cron: null, activeHours: [], pausedUntilMs: null };
  async function tenant(changes: Partial<Calendar>, rule: object = {}): Promise<string> {
    const tenantId = await tenantWith(stage.db, 600_000);
    await addRule(stage.db, tenantId, rule);
    await withTenant(stage.db, tenantId, async (tx) => {
      await setSchedule(tx, tenantId, { ...settings, ...changes });
      await refreshSchedule(tx, tenantId);
    });
    return tenantId;
  }

  const nextSlotMs = async (tenantId: string): Promise<number> =>
    (await asTenant(stage.db, tenantId, (sql) => sql<{ next: number }[]>`select next_slot_at as next from schedules`))[0]!.next;

  /** Moves the clock to right behind the tenant's next slot, as often as that is wanted. */
  async function pass(tenantId: string, slots: number): Promise<void> {
    for (let slot = 0; slot < slots; slot += 1) {
      stage.db.clock.shiftMs = (await nextSlotMs(tenantId)) - Date.now() + 50;
      await claimDueSlots(stage.deps);
    }
  }

  const shown = async (tenantId: string): Promise<[string, string][]> =>
    (await runsOf(stage.db, tenantId)).map(({ slotMs, status }) => [new Date(slotMs).toISOString().slice(11, 19), status]);

  test('of a cron runs at its instants and at no other; nights and weekends leave no row', async () => {
    const tenantId = await tenant({ cron: '*/30 9 * * 1-5', timeZone: 'Asia/Kolkata' });
    await pass(tenantId, 4);
    const runs = await runsOf(stage.db, tenantId);
    expect(runs.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued', 'queued']);
    for (const { slotMs } of runs) expect(new Date(slotMs).toISOString().slice(11)).toMatch(/^0(3:30|4:00):00.000Z$/);
  });

  test('with active hours runs at their beginning and within them; nothing is missed outside', async () => {
    const tenantId = await tenant({ everyMs: 1_800_000, activeHours: WEEKDAYS });
    await pass(tenantId, 7);
    const runs = await shown(tenantId);
    expect(runs).toHaveLength(7);
    expect(runs.filter(([, status]) => status !== 'queued')).toEqual([]);
    for (const [at] of runs) expect(at.slice(0, 2)).toBe('09');
    expect(runs.filter(([at]) => at === '09:00:00').length).toBeGreaterThan(1);
  });

  test('with a debounce keeps scheduled runs apart, and what is asked for is not held', async () => {
    const tenantId = await tenant({ debounceMs: 1_500_000 });
    await pass(tenantId, 2);
    expect(await queueRun(stage.deps, { tenantId, kind: 'manual', ruleIds: null, actor: null })).toMatchObject({ tenantId });
    await pass(tenantId, 1);
    const runs = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ slot: number; kind: string }[]>`select slot_at as slot, kind from runs order by slot_at`,
    );
    const scheduled = runs.filter(({ kind }) => kind === 'scheduled').map(({ slot }) => slot);
    expect(scheduled.slice(1).map((slot, at) => slot - scheduled[at]!)).toEqual([1_800_000, 1_800_000]);
    expect(runs).toHaveLength(4);
  });

  test('that pauses is not looked at until then, and misses nothing', async () => {
    const pausedUntilMs = Date.now() + 3 * 3_600_000;
    const tenantId = await tenant({ pausedUntilMs });
    stage.db.clock.shiftMs = 2 * 3_600_000;
    await claimDueSlots(stage.deps);
    expect(await runsOf(stage.db, tenantId)).toEqual([]);
    await pass(tenantId, 2);
    const runs = await runsOf(stage.db, tenantId);
    expect(runs.map(({ slotMs, status }) => [slotMs >= pausedUntilMs, status])).toEqual([
      [true, 'queued'],
      [true, 'queued'],
    ]);
    expect(runs[0]!.slotMs).toBe(pausedUntilMs);
  });

  test('slots of it that were missed are counted, and the newest runs', async () => {
    const tenantId = await tenant({ cron: '*/30 * * * *' });
    const firstMs = await nextSlotMs(tenantId);
    stage.db.clock.shiftMs = firstMs - Date.now() + 4 * 1_800_000 + 60_000;
    await claimDueSlots(stage.deps);
    expect(
      (await runsOf(stage.db, tenantId)).map(({ slotMs, status, reason, skippedCount }) => [
        slotMs - firstMs,
        status,
        reason,
        skippedCount,
      ]),
    ).toEqual([
      [3 * 1_800_000, 'skipped', 'missed', 4],
      [4 * 1_800_000, 'queued', null, null],
    ]);
  });

  test('that nobody can follow is looked at by its grid, and holds up no other', async () => {
    const [broken, good] = [await tenant({ cron: '*/30 * * * *' }), await tenant({ cron: '*/30 * * * *' })];
    await asTenant(stage.db, broken, (sql) => sql`update schedules set time_zone = 'Mars/Olympus' where tenant_id = ${broken}`);
    stage.db.clock.shiftMs = Math.max(await nextSlotMs(broken), await nextSlotMs(good)) - Date.now() + 50;
    expect(await claimDueSlots(stage.deps)).toMatchObject({ runs: 2, skipped: 0 });
    for (const tenantId of [broken, good]) expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'queued' }]);
  });

  test('`for` does not count the night', async () => {
    const tenantId = await tenant({ cron: '0,10,20,30 9 * * *' }, { for: '25m' });
    stage.source.answer = () => 500;
    evaluator = startEvaluator(stage.deps);
    await evaluator.ready();
    const firstOfDay = async (): Promise<void> => {
      do await pass(tenantId, 1);
      while (!(await shown(tenantId)).at(-1)?.[0].startsWith('09:20'));
    };
    const untilDone = (): Promise<void> =>
      vi.waitFor(async () => expect((await shown(tenantId)).filter(([, status]) => !['done', 'late'].includes(status))).toEqual([]), {
        timeout: 45_000,
      });
    await firstOfDay();
    await untilDone();
    stage.source.answer = () => 0;
    await pass(tenantId, 1);
    await untilDone();
    await asTenant(stage.db, tenantId, (sql) => sql`delete from triggers`);
    stage.source.answer = () => 500;
    await pass(tenantId, 2);
    await untilDone();
    expect(await triggersOf(stage.db, tenantId)).toEqual([]);
    await pass(tenantId, 2);
    await untilDone();
    expect((await triggersOf(stage.db, tenantId)).map(({ kind }) => kind)).toEqual(['fired']);
  });
});
