import type { MetricSource } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { evaluationOf } from './start-evaluator.ts';

const EVERY_MS = 600_000;

describeQueues('what rules cost', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  test('is put down with the run that measured it, all queries of a rule together, and again only when it has moved', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    const each = { metric: 'latency', window: '5m', operator: '>', threshold: 1 };
    await addRule(stage.db, tenantId, { key: 'dear', condition: { any: [each, { ...each, window: '10m' }] } });
    await addRule(stage.db, tenantId, { key: 'cheap' });
    let ms = 400;
    const source: MetricSource = {
      read: (requests, signal, costs) => {
        costs?.push(...requests.map(({ queries }) => queries.map((_, index) => ({ ms: index < 2 ? ms : 0, segments: 3, events: 500 }))));
        return stage.source.read(requests, signal);
      },
    };
    const { rules, fits } = evaluationOf(stage.deps);
    const passSlot = async (): Promise<void> => {
      stage.db.clock.shiftMs += EVERY_MS;
      await claimDueSlots(stage.deps);
      await evaluateBatch({ ...stage.deps, source, rules, fits }, [tenantId]);
    };
    const costs = () =>
      asTenant(
        stage.db,
        tenantId,
        (sql) => sql<{ key: string; ms: number; segments: number; events: number; series: number; place: string }[]>`
          select key, ms, segments, events, series, rule_costs.ctid::text as place
          from rule_costs join rules on rules.tenant_id = rule_costs.tenant_id and rules.id = rule_id order by ms desc`,
      );

    await passSlot();
    const first = await costs();
    expect(first).toMatchObject([
      { key: 'dear', segments: 6, events: 1_000, series: 1 },
      { key: 'cheap', segments: 3, events: 500, series: 1 },
    ]);
    expect(first[0]!.ms).toBeGreaterThanOrEqual(800);
    for (let slot = 0; slot < 3; slot += 1) await passSlot();
    expect((await costs())[0]).toEqual(first[0]);

    ms = 40_000;
    await passSlot();
    expect((await costs())[0]!.ms).toBeGreaterThan(5_000);
  });

  test('of a rule that is being changed is left for later, and holds up no run', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    const id = await addRule(stage.db, tenantId);
    const passSlot = async (): Promise<void> => {
      stage.db.clock.shiftMs += EVERY_MS;
      await claimDueSlots(stage.deps);
      await evaluateBatch(evaluationOf(stage.deps), [tenantId]);
    };
    await passSlot();
    await asTenant(stage.db, tenantId, async (sql) => {
      await sql`delete from rule_costs`;
      await sql`select from rules where id = ${id} for update`;
      await passSlot();
    });
    expect((await runsOf(stage.db, tenantId)).at(-1)).toMatchObject({
      status: expect.stringMatching(/^(done|late)$/),
      rules: 1,
      attempts: 1,
    });
    expect(await asTenant(stage.db, tenantId, (sql) => sql`select from rule_costs`)).toHaveLength(0);
  });
});
