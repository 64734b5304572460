import type { MetricSource } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addRule, asTenant, openStage, tenantWith, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { sweep } from '../sweep/sweep.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { evaluationOf } from './start-evaluator.ts';

const MINUTE = 60_000;

describeQueues('reminders of what was measured', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  /** Evaluates a slot after another, with a value for each of the rule's comparisons, and lets the sweep remind after the last. */
  const slots = async (tenantId: string, everyMs: number, values: readonly number[][]): Promise<void> => {
    const evaluation = evaluationOf(stage.deps);
    for (const ofSlot of values) {
      const source: MetricSource = {
        read: (requests) =>
          Promise.resolve(
            requests.map(({ queries }) =>
              queries.map((_query, index) => ({
                kind: 'series',
                series: [{ labels: {}, value: ofSlot[index] ?? 0, samples: 5 }],
                dropped: 0,
              })),
            ),
          ),
      };
      stage.db.clock.shiftMs += everyMs;
      await claimDueSlots(stage.deps);
      await evaluateBatch({ ...evaluation, source }, [tenantId]);
    }
    await sweep(stage.deps);
  };

  const told = (tenantId: string) =>
    asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ kind: string; snapshot: Record<string, unknown> }[]>`select kind, snapshot from triggers order by seq`,
    );
  const peakOf = (tenantId: string) =>
    asTenant(stage.db, tenantId, (sql) => sql<{ peak: number }[]>`select (reading ->> 'peak')::float8 as peak from alerts`);

  test('tell the number of the last slot, in the words of every message', async () => {
    const tenantId = await tenantWith(stage.db, 10 * MINUTE);
    await addRule(stage.db, tenantId, { remindEvery: '25m' });
    await slots(tenantId, 10 * MINUTE, [[500], [900], [120], [110]]);
    const [fired, reminded] = await told(tenantId);
    expect(reminded).toEqual({ kind: 'reminded', snapshot: { ...fired?.snapshot, status: 'active', value: 110 } });
    expect(await peakOf(tenantId)).toEqual([{ peak: 900 }]);
  });

  test('tell of the comparison that holds, not of the one that held when it fired', async () => {
    const tenantId = await tenantWith(stage.db, MINUTE);
    await addRule(stage.db, tenantId, {
      remindEvery: '3m',
      condition: {
        any: [
          { metric: 'latency', window: '5m', operator: '>', threshold: 1_000 },
          { metric: 'error_rate', window: '10m', operator: '>=', threshold: 5 },
        ],
      },
    });
    await slots(tenantId, MINUTE, [
      [2_400, 1],
      [200, 12],
      [200, 11],
      [200, 10],
    ]);
    const [, reminded] = await told(tenantId);
    const { metric, operator, value, threshold, unit, window } = reminded?.snapshot ?? {};
    expect([reminded?.kind, metric, operator, value, threshold, unit, window]).toEqual([
      'reminded',
      'error_rate',
      '>=',
      10,
      5,
      'percent',
      '10m',
    ]);
    expect(await peakOf(tenantId)).toEqual([{ peak: 12 }]);
  });

  test('an open alert whose numbers move is written every five minutes, its series never', async () => {
    const tenantId = await tenantWith(stage.db, MINUTE);
    await addRule(stage.db, tenantId);
    const version = async (): Promise<number[]> => {
      const [row] = await asTenant(
        stage.db,
        tenantId,
        (sql) => sql<{ alert: number; series: number }[]>`
          select alerts.version as alert, series_states.version as series from alerts join series_states on alert_id = alerts.id`,
      );
      return [row!.alert, row!.series];
    };
    await slots(tenantId, MINUTE, [[500], [400]]);
    const [alert, series] = await version();
    await slots(tenantId, MINUTE, [[401], [402], [403], [404]]);
    expect(await version()).toEqual([alert, series]);
    await slots(tenantId, MINUTE, [[405], [406]]);
    expect(await version()).toEqual([alert! + 1, series]);
  });
});
