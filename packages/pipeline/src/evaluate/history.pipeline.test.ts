import { openEventStore, type EvaluationRow, type EventStore } from '@tocsin/events';
import type { Consumer } from '@tocsin/queue';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { startEvaluator } from './start-evaluator.ts';

const EVERY_MS = 600_000;

describeQueues('from events to history', (backend) => {
  let stage: Stage;
  let store: EventStore;
  let evaluator: Consumer;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  beforeEach(async () => {
    store = openEventStore({ ...stage.deps, clock: { ...stage.deps.clock, now: () => Date.now() + stage.db.clock.shiftMs } });
    evaluator = startEvaluator({ ...stage.deps, source: store.source, histories: store });
    await evaluator.ready();
  });
  afterEach(async () => {
    await evaluator.close();
    await store.close();
    await stage.clear();
  });

  /** Sends calls of these durations, stamped with the middle of the window of the slot that comes next, and evaluates it. */
  const slotWith = async (tenantId: string, durations: readonly number[], dims: Record<string, string> = {}): Promise<void> => {
    const [schedule] = await asTenant(stage.db, tenantId, (sql) => sql<{ next: number }[]>`select next_slot_at as next from schedules`);
    const nextMs = schedule!.next;
    stage.db.clock.shiftMs = nextMs - Date.now() + 100;
    const ts = nextMs - 10_000 - 60_000;
    const answer = await store.ingest(
      tenantId,
      durations.map((duration) => ({ ts, name: 'call', dims, measures: { duration_ms: duration } })),
    );
    expect(answer.rejected).toEqual([]);
    await claimDueSlots(stage.deps);
    await vi.waitFor(async () => expect((await runsOf(stage.db, tenantId)).every((run) => run.status === 'done')).toBe(true), 45_000);
  };

  const history = async (tenantId: string, ruleId: string): Promise<EvaluationRow[]> =>
    (await store.readEvaluations(tenantId, ruleId, { limit: 100 })).rows.toReversed();

  test('one slow call over a default rule fires; every slot says what was seen, in which window, and how it ended', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    const ruleId = await addRule(stage.db, tenantId, {
      cooldown: '30m',
      condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1000 },
    });
    await slotWith(tenantId, [200, 300]);
    await slotWith(tenantId, [2000]);
    await slotWith(tenantId, [10]);
    await slotWith(tenantId, [5000]);
    await slotWith(tenantId, []);

    const rows = await history(tenantId, ruleId);
    const runs = await runsOf(stage.db, tenantId);
    expect(rows.map((row) => [row.outcome, row.reason, row.triggered, row.value, row.samples])).toEqual([
      ['clear', 'clear', false, 295, 2],
      ['fired', 'fired', true, 2000, 1],
      ['resolved', 'resolved', false, 10, 1],
      ['suppressed', 'cooldown', true, 5000, 1],
      ['no_data', 'no_data_kept', false, null, 0],
    ]);
    for (const [index, row] of rows.entries()) {
      const { id: runId, slotMs } = runs[index]!;
      expect(row).toMatchObject({
        ruleId,
        runId,
        slotMs,
        seriesKey: '{}',
        labels: {},
        operator: '>',
        threshold: 1000,
        version: 1,
        windowFromMs: slotMs - 10_000 - 300_000,
        windowToMs: slotMs - 10_000,
      });
      expect(row.evaluatedAtMs).toBeGreaterThanOrEqual(slotMs);
      expect(row.durationMs).toBeGreaterThanOrEqual(0);
    }
    expect((await triggersOf(stage.db, tenantId)).map((trigger) => trigger.kind)).toEqual(['fired', 'resolved']);
  });

  test('each series of a grouped rule has its own alert and its own history', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    const ruleId = await addRule(stage.db, tenantId, { groupBy: ['operation'] });
    await slotWith(tenantId, []);
    await slotWith(tenantId, [500], { operation: 'chat' });
    await slotWith(tenantId, [50], { operation: 'search' });
    const rows = await history(tenantId, ruleId);
    expect(rows.map((row) => [row.labels, row.outcome, row.reason])).toEqual([
      [{}, 'no_data', 'no_series'],
      [{ operation: 'chat' }, 'fired', 'fired'],
      [{ operation: 'search' }, 'clear', 'clear'],
      [{ operation: 'chat' }, 'no_data', 'no_data_kept'],
    ]);
    const alerts = await asTenant(stage.db, tenantId, (sql) => sql`select series_key as key, labels, status from alerts`);
    expect(alerts).toEqual([{ key: '{"operation":"chat"}', labels: { operation: 'chat' }, status: 'active' }]);
  });

  test('a rule edited while it is evaluated leaves a superseded row and no alert', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    const ruleId = await addRule(stage.db, tenantId);
    await evaluator.close();
    evaluator = startEvaluator({
      ...stage.deps,
      source: {
        read: async (requests, signal) => {
          await asTenant(stage.db, tenantId, (sql) => sql`update rules set version = version + 1`);
          return store.source.read(requests, signal);
        },
      },
    });
    await evaluator.ready();
    await slotWith(tenantId, [500]);
    expect((await history(tenantId, ruleId)).map((row) => [row.outcome, row.reason, row.value])).toEqual([
      ['superseded', 'changed_meanwhile', 500],
    ]);
    expect(await triggersOf(stage.db, tenantId)).toEqual([]);
  });
});
