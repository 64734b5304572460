import { refreshSchedule, withTenant } from '@tocsin/db';
import { evaluateRuns } from '@tocsin/queue';
import { systemClock } from '@tocsin/runtime';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, type Stage } from '../../test/stage.ts';
import { sweep } from '../sweep/sweep.ts';
import { MAINTENANCE } from '../maintain/start-maintenance.ts';
import { claimDueSlots } from './claim-due-slots.ts';
import { UNFINISHED_MAX } from './claim-slots.ts';
import { queueRun } from './queue-run.ts';
import { runScheduler } from './run-scheduler.ts';

/** Long against the time a test takes, so that no slot falls due by itself. */
const EVERY_MS = 600_000;

describeQueues('claiming slots', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  /** Makes exactly one slot fall due for everybody. */
  const passOneSlot = (): void => {
    stage.db.clock.shiftMs += EVERY_MS;
  };

  const activeTenant = async (everyMs: number = EVERY_MS): Promise<string> => {
    const tenantId = await tenantWith(stage.db, everyMs);
    await addRule(stage.db, tenantId);
    return tenantId;
  };

  test('three schedulers at once make exactly one run of every slot', async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => activeTenant()));
    for (let slot = 0; slot < 8; slot += 1) {
      passOneSlot();
      await Promise.all(Array.from({ length: 3 }, () => claimDueSlots(stage.deps)));
    }
    for (const tenantId of many) {
      const runs = await runsOf(stage.db, tenantId);
      expect(runs).toHaveLength(8);
      expect(runs.every((run) => run.status === 'queued')).toBe(true);
      const gaps = runs.slice(1).map((run, index) => run.slotMs - runs[index]!.slotMs);
      expect(new Set(gaps)).toEqual(new Set([EVERY_MS]));
    }
  });

  test('slots missed while nothing ran: the newest runs, one row says which were skipped', async () => {
    const tenantId = await activeTenant();
    passOneSlot();
    await claimDueSlots(stage.deps);
    const [first] = await runsOf(stage.db, tenantId);
    stage.db.clock.shiftMs += 6 * EVERY_MS;
    const claimed = await claimDueSlots(stage.deps);
    expect(claimed.skipped).toBe(5);
    const runs = await runsOf(stage.db, tenantId);
    expect(runs.map((run) => [run.slotMs - first!.slotMs, run.status, run.reason, run.skippedCount])).toEqual([
      [0, 'queued', null, null],
      [5 * EVERY_MS, 'skipped', 'missed', 5],
      [6 * EVERY_MS, 'queued', null, null],
    ]);
  });

  test('a tenant that is not keeping up has a few runs waiting at most; the slots past them are on record as skipped, and it catches up', async () => {
    const slow = await activeTenant();
    const slots = async (): Promise<[string, string | null][]> => (await runsOf(stage.db, slow)).map((run) => [run.status, run.reason]);
    for (let slot = 0; slot < UNFINISHED_MAX + 2; slot += 1) {
      passOneSlot();
      await claimDueSlots(stage.deps);
    }
    const queued = Array.from({ length: UNFINISHED_MAX }, () => ['queued', null]);
    expect(await slots()).toEqual([...queued, ['skipped', 'behind'], ['skipped', 'behind']]);
    expect((await runsOf(stage.db, slow)).at(-1)).toMatchObject({ skippedCount: 1 });
    await asTenant(
      stage.db,
      slow,
      (sql) => sql`update runs set status = 'done' where status = 'queued' and slot_at = (select min(slot_at) from runs)`,
    );
    passOneSlot();
    const other = await activeTenant();
    await claimDueSlots(stage.deps);
    expect((await slots()).at(-1)).toEqual(['queued', null]);
    passOneSlot();
    expect(await claimDueSlots(stage.deps)).toMatchObject({ runs: 1, skipped: 1 });
    expect((await runsOf(stage.db, other)).at(-1)).toMatchObject({ status: 'queued' });
  });

  test('a tenant without an enabled rule is never claimed', async () => {
    const tenantId = await activeTenant();
    await asTenant(stage.db, tenantId, (sql) => sql`update rules set enabled = false`);
    await withTenant(stage.db, tenantId, (tx) => refreshSchedule(tx, tenantId));
    stage.db.clock.shiftMs += 10 * EVERY_MS;
    await claimDueSlots(stage.deps);
    expect(await runsOf(stage.db, tenantId)).toEqual([]);
  });

  test('slots are as fine as the smallest `every` of the enabled rules', async () => {
    const tenantId = await activeTenant();
    const slotEvery = async (): Promise<number | undefined> =>
      (await asTenant(stage.db, tenantId, (sql) => sql<{ every: number }[]>`select slot_every_ms as every from schedules`))[0]?.every;
    expect(await slotEvery()).toBe(EVERY_MS);
    await addRule(stage.db, tenantId, { key: 'fine', every: '15s' });
    await addRule(stage.db, tenantId, { key: 'coarse', every: '1h' });
    expect(await slotEvery()).toBe(15_000);
  });

  test("a clock of the database's that leaps ahead and is set back costs no slot, gives none twice, and is told of", async () => {
    const tenantId = await activeTenant();
    passOneSlot();
    await claimDueSlots(stage.deps);
    stage.db.clock.shiftMs += 6 * EVERY_MS;
    await claimDueSlots(stage.deps);
    const leaped = await runsOf(stage.db, tenantId);

    const told: string[] = [];
    const logger = Object.assign(Object.create(stage.deps.logger) as typeof stage.deps.logger, {
      error: (_fields: object, message: string) => void told.push(message),
    });
    const stop = new AbortController();
    const running = runScheduler({ ...stage.deps, logger }, stop.signal, {
      looked: () => {
        if (told.length > 0) stop.abort();
        else if (stage.db.clock.shiftMs > EVERY_MS) stage.db.clock.shiftMs -= 6 * EVERY_MS;
      },
    });
    await vi.waitFor(() => expect(told).toEqual([expect.stringContaining('was set back')]), 45_000);
    await running;
    for (let slot = 0; slot < 6; slot += 1) {
      expect(await runsOf(stage.db, tenantId)).toEqual(leaped);
      passOneSlot();
      await claimDueSlots(stage.deps);
    }
    passOneSlot();
    await claimDueSlots(stage.deps);
    const runs = await runsOf(stage.db, tenantId);
    expect(runs.length).toBeGreaterThan(leaped.length);
    const ends = runs.map((run) => [run.slotMs - ((run.skippedCount ?? 1) - 1) * EVERY_MS, run.slotMs] as const);
    ends.slice(1).forEach(([fromMs], at) => expect(fromMs).toBe(ends[at]![1] + EVERY_MS));
  });

  test('changing a rule while a slot waits to be claimed does not lose the slot', async () => {
    const tenantId = await activeTenant();
    stage.db.clock.shiftMs += 3 * EVERY_MS;
    await addRule(stage.db, tenantId, { key: 'another' });
    await claimDueSlots(stage.deps);
    const runs = await runsOf(stage.db, tenantId);
    const accounted = runs.reduce((total, run) => total + (run.skippedCount ?? 1), 0);
    expect(accounted).toBe(3);
  });

  test('hints that vanished are sent again by the sweep, each row at most once a wait', async () => {
    const tenantId = await activeTenant();
    passOneSlot();
    await claimDueSlots(stage.deps);
    await stage.wipeQueues();
    const hinted: string[] = [];
    const consumer = stage.queues.consumer(evaluateRuns, { concurrency: 5 }, ({ runs }) => {
      for (const run of runs) if (run.tenantId === tenantId) hinted.push(run.runId);
      return Promise.resolve();
    });
    await consumer.ready();
    await sweep(stage.deps);
    stage.db.clock.shiftMs += 6_000;
    await Promise.all([sweep(stage.deps), sweep(stage.deps)]);
    const [run] = await runsOf(stage.db, tenantId);
    await vi.waitFor(() => expect(hinted).toEqual([run!.id]), 45_000);
    await sweep(stage.deps);
    expect(hinted).toEqual([run!.id]);
    await consumer.close();
  });

  test('a loop whose claims are somebody else’s claims nothing, and goes on sweeping', async () => {
    const tenantId = await activeTenant();
    const run = await queueRun(stage.deps, { tenantId, kind: 'manual', ruleIds: null, actor: null });
    await stage.wipeQueues();
    passOneSlot();
    const stop = new AbortController();
    let looks = 0;
    const clock = { ...systemClock, sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(Math.min(ms, 50), signal) };
    const running = runScheduler({ ...stage.deps, clock }, stop.signal, { claims: false, looked: () => void (looks += 1) });
    await vi.waitFor(() => expect(looks).toBeGreaterThan(2), 45_000);
    stop.abort();
    await running;
    const rows = await asTenant(stage.db, tenantId, (sql) => sql`select id, hints from runs`);
    expect(rows).toEqual([{ id: run === 'busy' ? '' : run?.id, hints: 1 }]);
  });

  test('the loop claims what falls due, sleeps in between, and stops when told', async () => {
    const tenantId = await activeTenant();
    const stop = new AbortController();
    const sleeps: number[] = [];
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal: AbortSignal) => {
        sleeps.push(ms);
        return systemClock.sleep(Math.min(ms, 50), signal);
      },
    };
    const running = Promise.all([1, 2, 3].map(() => runScheduler({ ...stage.deps, clock }, stop.signal)));
    passOneSlot();
    await vi.waitFor(async () => expect(await runsOf(stage.db, tenantId)).toHaveLength(1), 45_000);
    passOneSlot();
    await vi.waitFor(async () => expect(await runsOf(stage.db, tenantId)).toHaveLength(2), 45_000);
    stop.abort();
    await running;
    const ofTasks = new Set<number>(MAINTENANCE.map(({ everyMs }) => everyMs));
    expect(Math.max(...sleeps.filter((ms) => !ofTasks.has(ms)))).toBeLessThanOrEqual(2_000);
    expect(Math.min(...sleeps)).toBeGreaterThanOrEqual(20);
  });
});
