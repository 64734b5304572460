import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addRule, asTenant, openStage, tenantWith, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { evaluationOf } from './start-evaluator.ts';

const MINUTE = 60_000;

describeQueues('the silence of one alert alone', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  const slot = async (tenantId: string, value: number): Promise<void> => {
    stage.source.answer = () => value;
    stage.db.clock.shiftMs += MINUTE;
    await claimDueSlots(stage.deps);
    await evaluateBatch(evaluationOf(stage.deps), [tenantId]);
  };
  const silencedFor = (tenantId: string) =>
    asTenant(
      stage.db,
      tenantId,
      (sql) =>
        sql<{ hours: number | null }[]>`select round(extract(epoch from silenced_until - tocsin_now()) / 3600)::int as hours from alerts`,
    );
  const timeline = (tenantId: string) =>
    asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ kind: string; reason: string | null }[]>`select kind, reason from alert_events order by at, id`,
    );

  test('ends with a rise in severity, not with a slot that is as bad as before', async () => {
    const tenantId = await tenantWith(stage.db, MINUTE);
    const condition = { metric: 'latency', window: '5m', operator: '>', threshold: { warning: 100, critical: 1_000 } };
    await addRule(stage.db, tenantId, { condition });
    await slot(tenantId, 200);
    await asTenant(stage.db, tenantId, (sql) => sql`update alerts set silenced_until = tocsin_now() + interval '3 hours'`);
    await slot(tenantId, 300);
    expect(await silencedFor(tenantId)).toEqual([{ hours: 3 }]);
    await slot(tenantId, 2_000);
    expect(await silencedFor(tenantId)).toEqual([{ hours: null }]);
    const entries = await timeline(tenantId);
    expect(entries.map(({ kind }) => kind).toSorted()).toEqual(['escalated', 'fired', 'unsilenced']);
    expect(entries.find(({ kind }) => kind === 'unsilenced')?.reason).toBe('severity_rose');
  });
});
