import { addEventLags } from '@tocsin/db';
import { LAG_BUCKETS, lagBucket, type MetricSource } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { evaluationOf } from './start-evaluator.ts';

const EVERY_MS = 60_000;

describeQueues('evaluationDelay: auto', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  /** How long before the slot the windows of each rule end, slot by slot, by event name. */
  const delaysOf = async (tenantId: string, slots: number): Promise<Record<string, number[]>> => {
    const delays: Record<string, number[]> = {};
    for (let slot = 0; slot < slots; slot += 1) {
      stage.db.clock.shiftMs += EVERY_MS;
      await claimDueSlots(stage.deps);
      const asked: { name: string; endMs: number }[] = [];
      const source: MetricSource = {
        read: (requests, signal) => {
          asked.push(...requests.flatMap(({ queries }) => queries.map(({ query, endMs }) => ({ name: query.name ?? '', endMs }))));
          return stage.source.read(requests, signal);
        },
      };
      // A process that keeps nothing from slot to slot: what the delay is comes from the database alone.
      await evaluateBatch({ ...evaluationOf(stage.deps), source }, [tenantId]);
      const { slotMs } = (await runsOf(stage.db, tenantId)).at(-1)!;
      for (const { name, endMs } of asked) (delays[name] ??= []).push((slotMs - endMs) / 1_000);
    }
    return delays;
  };
  const lag = (tenantId: string, name: string, lagMs: number, events = 1_000) =>
    asTenant(stage.db, tenantId, async (sql) => {
      await sql`insert into event_names (tenant_id, name) values (${tenantId}, ${name}) on conflict do nothing`;
      await sql`update event_names set lag = null where name = ${name}`;
      await addEventLags(sql, [
        { tenantId, name, counts: Array.from({ length: LAG_BUCKETS }, (_, bucket) => (bucket === lagBucket(lagMs) ? events : 0)) },
      ]);
    });
  const rule = (name: string, window = '5m', evaluationDelay = 'auto') => ({
    key: name,
    evaluationDelay,
    condition: { metric: 'latency', name, window, operator: '>', threshold: 100 },
  });

  test('follows how late the events of the rule’s names come, up and down, and each rule its own', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    for (const each of [rule('late'), rule('quick'), rule('unknown'), rule('fixed', '5m', '20s')]) await addRule(stage.db, tenantId, each);
    await lag(tenantId, 'late', 50_000);
    await lag(tenantId, 'quick', 30);
    await lag(tenantId, 'fixed', 50_000);
    expect(await delaysOf(tenantId, 3)).toEqual({ late: [40, 60, 60], quick: [1, 1, 1], unknown: [10, 10, 10], fixed: [20, 20, 20] });
    await lag(tenantId, 'late', 4_000);
    await lag(tenantId, 'quick', 1_700);
    expect(await delaysOf(tenantId, 2)).toEqual({ late: [5, 5], quick: [2, 2], unknown: [10, 10], fixed: [20, 20] });
  });

  test('is not taken back where the window reaches no further than a step: events would fall between', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, tenantId, rule('late', '1m'));
    await lag(tenantId, 'late', 25_000);
    expect(await delaysOf(tenantId, 1)).toEqual({ late: [30] });
    await lag(tenantId, 'late', 30);
    expect(await delaysOf(tenantId, 2)).toEqual({ late: [30, 30] });
  });

  test('writes the rule’s row when it moves and not else', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, tenantId, rule('late'));
    await lag(tenantId, 'late', 13_000);
    await delaysOf(tenantId, 2);
    const place = () => asTenant(stage.db, tenantId, (sql) => sql`select ctid::text as place, delay_ms from rules`);
    const before = await place();
    expect(before).toMatchObject([{ delay_ms: 15_000 }]);
    await delaysOf(tenantId, 2);
    expect(await place()).toEqual(before);
  });
});
