import type { Queues } from '@tocsin/queue';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addRule, asTenant, openStage, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { evaluateBatch } from '../evaluate/evaluate-batch.ts';
import { evaluationOf } from '../evaluate/start-evaluator.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { openSweep, sweep } from './sweep.ts';

const EVERY_MS = 3_600_000;
const TENANTS = 30;

describeQueues('the sweep', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  const dueTenants = async (count: number, rule: object = {}): Promise<string[]> => {
    const ids = await Promise.all(Array.from({ length: count }, () => tenantWith(stage.db, EVERY_MS)));
    for (const tenantId of ids) await addRule(stage.db, tenantId, rule);
    stage.db.clock.shiftMs += EVERY_MS;
    await claimDueSlots(stage.deps);
    return ids;
  };

  test('a queue that was away for long is given everything again within seconds of its return', async () => {
    await dueTenants(TENANTS);
    let isAway = true;
    const hinted = new Set<unknown>();
    const send = (payloads: readonly { runs: { runId: string }[] }[]): Promise<void> => {
      if (isAway) return Promise.reject(new Error('away'));
      for (const { runs } of payloads) for (const { runId } of runs) hinted.add(runId);
      return Promise.resolve();
    };
    const ping = (): Promise<void> => (isAway ? Promise.reject(new Error('away')) : Promise.resolve());
    const queues = { ...stage.queues, producer: () => ({ send }), ping } as unknown as Queues;
    const again = openSweep({ ...stage.deps, queues });
    for (let minute = 0; minute < 12; minute += 1) {
      for (let look = 0; look < 6; look += 1) {
        stage.db.clock.shiftMs += 10_000;
        await again();
      }
    }
    isAway = false;
    for (let seconds = 0; seconds < 10; seconds += 2) {
      stage.db.clock.shiftMs += 2_000;
      await again();
    }
    expect(hinted.size).toBe(TENANTS);
  });

  test('a tenant whose reminders cannot be told keeps nobody else’s back', async () => {
    const ids = await dueTenants(2, { remindEvery: '1h' });
    stage.source.answer = () => 500;
    await evaluateBatch(evaluationOf(stage.deps), ids);
    const timers = await Promise.all(
      ids.map((tenantId) =>
        asTenant(
          stage.db,
          tenantId,
          (sql) => sql<{ tenantId: string; dueMs: number }[]>`
        select tenant_id as "tenantId", due_at as "dueMs" from alert_timers`,
        ),
      ),
    );
    const [first, second] = timers.flat().toSorted((a, b) => a.dueMs - b.dueMs);
    // Its next trigger has a number that is taken.
    await asTenant(stage.db, first!.tenantId, (sql) => sql`update alerts set trigger_seq = 0`);
    stage.db.clock.shiftMs += 2 * EVERY_MS;
    await sweep(stage.deps);
    const kinds = async (tenantId: string) => (await triggersOf(stage.db, tenantId)).map(({ kind }) => kind).toSorted();
    expect(await kinds(second!.tenantId)).toEqual(['fired', 'reminded']);
    expect(await kinds(first!.tenantId)).toEqual(['fired']);
  });
});
