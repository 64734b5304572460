import type { QueryResult } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { evaluationOf, startEvaluator } from './start-evaluator.ts';

const EVERY_MS = 60_000;

/** `count` series of a value each, as a source answers that has `dropped` more. */
const series = (count: number, value: number, dropped = 0, prefix = 's'): QueryResult => ({
  kind: 'series',
  series: Array.from({ length: count }, (_, index) => ({ labels: { user: `${prefix}${index}` }, value, samples: 5 })),
  dropped,
});

describeQueues('rules of very many series', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  const runSlot = async (...tenantIds: string[]): Promise<void> => {
    stage.db.clock.shiftMs += EVERY_MS;
    await claimDueSlots(stage.deps);
    await evaluateBatch(evaluationOf(stage.deps), tenantIds);
  };
  const grouped = (tenantId: string, key: string) => addRule(stage.db, tenantId, { key, groupBy: ['user'] });
  const healthOf = (tenantId: string) =>
    asTenant(stage.db, tenantId, (sql) => sql`select key, health, health_reason as reason from rules order by key`);
  const known = async (tenantId: string): Promise<number> =>
    (await asTenant(stage.db, tenantId, (sql) => sql<{ n: number }[]>`select count(*)::int as n from series_states`))[0]!.n;

  test('other series every slot, more than are judged, leave no rows behind, and the rule says that it judges only the worst', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await grouped(tenantId, 'churn');
    for (let slot = 0; slot < 3; slot += 1) {
      stage.source.answer = () => series(1_000, 1, 99_000, `slot${slot}-`);
      await runSlot(tenantId);
    }
    expect(await known(tenantId)).toBe(0);
    expect(await healthOf(tenantId)).toEqual([
      { key: 'churn', health: 'ok', reason: 'series_dropped: only the worst 1000 series are judged' },
    ]);
    stage.source.answer = () => series(3, 1);
    await runSlot(tenantId);
    expect(await known(tenantId)).toBe(3);
    expect(await healthOf(tenantId)).toEqual([{ key: 'churn', health: 'ok', reason: null }]);
  });

  test('what was known before there were too many is forgotten with what does not fit; what fires is not', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await grouped(tenantId, 'churn');
    stage.source.answer = () => series(1_000, 500, 0, 'old');
    await runSlot(tenantId);
    stage.source.answer = () => series(1_000, 900, 99_000, 'new');
    await runSlot(tenantId);
    expect(await known(tenantId)).toBe(1_000);
    expect(await triggersOf(stage.db, tenantId)).toHaveLength(1_000);
    const open = await asTenant(stage.db, tenantId, (sql) => sql`select id from alerts where resolved_at is null`);
    expect(open).toHaveLength(1_000);
  });

  test('a tenant whose rules have too many series together: those with the most fail and say so, the others are judged', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    const bystander = await tenantWith(stage.db, EVERY_MS);
    for (let rule = 0; rule < 101; rule += 1) await grouped(tenantId, `r${String(rule).padStart(3, '0')}`);
    await addRule(stage.db, bystander);
    stage.source.answer = (owner) => (owner === tenantId ? series(1_000, 1, 1) : 500);
    await runSlot(tenantId, bystander);
    const health = await healthOf(tenantId);
    const over = 'too_many_series_in_run: the tenant’s rules have more than 100000 series together; those with the most are not evaluated';
    expect(health.filter((rule) => rule['health'] === 'error')).toEqual([{ key: 'r100', health: 'error', reason: over }]);
    expect(await runsOf(stage.db, bystander)).toMatchObject([{ status: 'done', triggers: 1 }]);
  });

  test('a rule that cannot be judged is in error by itself; the tenant’s other rules and other tenants go on', async () => {
    const [tenantId, bystander] = [await tenantWith(stage.db, EVERY_MS), await tenantWith(stage.db, EVERY_MS)];
    const poison = await addRule(stage.db, tenantId, { key: 'poison' });
    await addRule(stage.db, tenantId, { key: 'sound' });
    await addRule(stage.db, bystander);
    stage.source.answer = () => 500;
    await asTenant(
      stage.db,
      tenantId,
      (sql) => sql`
      insert into series_states (tenant_id, rule_id, series_key, labels, state, phase, last_seen_at)
      values (${tenantId}, ${poison}, '{}', '{}', '{"phase": "ok"}', 'ok', tocsin_now())`,
    );
    for (const slot of [1, 2]) {
      await runSlot(tenantId, bystander);
      expect((await runsOf(stage.db, tenantId)).at(-1)).toMatchObject({ status: 'done', attempts: 1, rules: 2, triggers: 2 - slot });
    }
    expect(await healthOf(tenantId)).toMatchObject([
      { key: 'poison', health: 'error', reason: expect.stringMatching(/^evaluation_error: ./) },
      { key: 'sound', health: 'ok' },
    ]);
    expect(await runsOf(stage.db, bystander)).toMatchObject([{ status: 'done', triggers: 1 }, { status: 'done' }]);
  });

  test('a tenant of very many queries is evaluated apart: nobody waits for it, and its own runs end', async () => {
    const heavy = await tenantWith(stage.db, EVERY_MS);
    const others = await Promise.all(Array.from({ length: 4 }, () => tenantWith(stage.db, EVERY_MS)));
    // Of equal windows a rule reads one.
    const comparison = (minutes: number) => ({ metric: 'latency', window: `${minutes}m`, operator: '>', threshold: 100 });
    for (let rule = 0; rule < 16; rule += 1)
      await addRule(stage.db, heavy, {
        key: `r${rule}`,
        condition: { any: Array.from({ length: 32 }, (_, index) => comparison(index + 1)) },
      });
    for (const tenantId of others) await addRule(stage.db, tenantId);
    const asked: string[][] = [];
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    stage.source.before = async (requests) => {
      const tenants = requests.map(({ tenantId }) => tenantId);
      asked.push(tenants);
      if (tenants.includes(heavy)) await held;
    };
    const evaluator = startEvaluator(stage.deps);
    try {
      for (let slot = 1; slot <= 2; slot += 1) {
        stage.db.clock.shiftMs += EVERY_MS;
        await claimDueSlots(stage.deps);
        const done = Array.from({ length: slot }, () => ({ status: 'done' }));
        await vi.waitFor(async () => {
          for (const tenantId of others) expect(await runsOf(stage.db, tenantId)).toMatchObject(done);
        }, 45_000);
        await vi.waitFor(() => expect(asked.flat()).toContain(heavy), 45_000);
      }
      letGo();
      await vi.waitFor(
        async () => expect(await runsOf(stage.db, heavy)).toMatchObject([{ status: 'late', attempts: 1 }, { rules: 16 }]),
        10_000,
      );
      expect(asked.filter((tenants) => tenants.includes(heavy))).toEqual([[heavy], [heavy]]);
    } finally {
      letGo();
      await evaluator.close();
    }
  });
});
