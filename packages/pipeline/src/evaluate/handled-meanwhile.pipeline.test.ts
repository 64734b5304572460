import { acknowledgeAlerts, lockAlerts, resolveByHand, withTenant, type DrizzleTx } from '@tocsin/db';
import type { MetricSource } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { addRule, asTenant, openStage, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { evaluationOf } from './start-evaluator.ts';

const MINUTE = 60_000;
const LEVELS = {
  condition: { metric: 'latency', window: '5m', operator: '>', threshold: { warning: 100, critical: 5_000 } },
  cooldown: '60m',
};

describeQueues('what people do in the midst of an evaluation', (backend) => {
  let stage: Stage;
  let tenantId: string;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  beforeEach(async () => {
    tenantId = await tenantWith(stage.db, MINUTE);
  });
  afterEach(() => stage.clear());

  const nothing = (): Promise<void> => Promise.resolve();
  /** Evaluates the next slot, whose reading is held back until `meanwhile` has happened. */
  const slot = async (value: number, meanwhile: () => Promise<unknown> = nothing): Promise<void> => {
    const source: MetricSource = {
      read: async (requests) => {
        await meanwhile();
        return requests.map(({ queries }) =>
          queries.map(() => ({ kind: 'series', series: [{ labels: {}, value, samples: 5 }], dropped: 0 })),
        );
      },
    };
    stage.db.clock.shiftMs += MINUTE;
    await claimDueSlots(stage.deps);
    await evaluateBatch({ ...evaluationOf(stage.deps), source }, [tenantId]);
  };
  const alerts = () =>
    asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ id: string; status: string; by: string | null; reason: string | null }[]>`
        select id, status, acknowledged_by as by, resolve_reason as reason from alerts order by id`,
    );
  /** In the order in which they are told. */
  const told = async (): Promise<string[]> => {
    const rows = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ told: string }[]>`select kind || ' ' || (snapshot ->> 'status') as told from triggers order by alert_id, seq`,
    );
    return rows.map((row) => row.told);
  };
  /** As the services do it. */
  const locked = <T>(ids: readonly string[], work: (tx: DrizzleTx) => Promise<T>): Promise<T> =>
    withTenant(stage.db, tenantId, async (tx) => {
      await lockAlerts(tx, tenantId, ids);
      return work(tx);
    });
  const resolve = (ids: readonly string[]) => locked(ids, (tx) => resolveByHand(tx, tenantId, ids, { actor: 'ann', notes: null }));
  const acknowledge = (ids: readonly string[]) => locked(ids, (tx) => acknowledgeAlerts(tx, tenantId, ids, { actor: 'ann', note: null }));

  test('an alert that is resolved meanwhile stays so, whatever the evaluation found; what is worse than was told is told at the next slot', async () => {
    await addRule(stage.db, tenantId, LEVELS);
    await slot(500);
    const [alert] = await alerts();
    await slot(9_000, () => resolve([alert!.id]));
    expect(await told()).toEqual(['fired triggered', 'resolved resolved']);
    expect(await alerts()).toMatchObject([{ id: alert!.id, status: 'resolved', reason: 'manual' }]);
    await slot(9_000);
    expect(await told()).toEqual(['fired triggered', 'resolved resolved', 'fired triggered']);
  });

  test('of a recovery and a person who resolves meanwhile the person is on record, and the end is told once', async () => {
    await addRule(stage.db, tenantId, LEVELS);
    await slot(500);
    const [alert] = await alerts();
    await slot(10, () => resolve([alert!.id]));
    await slot(10);
    expect(await told()).toEqual(['fired triggered', 'resolved resolved']);
    expect(await alerts()).toMatchObject([{ reason: 'manual' }]);
  });

  test('an acknowledgement and what the evaluation found both stay, and a rise in severity is told', async () => {
    await addRule(stage.db, tenantId, LEVELS);
    await slot(500);
    const [alert] = await alerts();
    await slot(9_000, () => acknowledge([alert!.id]));
    expect(await told()).toEqual(['fired triggered', 'acknowledged acknowledged', 'escalated acknowledged']);
    expect(await alerts()).toMatchObject([{ status: 'acknowledged', by: 'ann' }]);
    const timeline = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ kind: string; actor: string }[]>`select kind, actor from alert_events order by at, id`,
    );
    expect(timeline).toEqual([
      { kind: 'fired', actor: 'evaluator' },
      { kind: 'acknowledged', actor: 'ann' },
      { kind: 'escalated', actor: 'evaluator' },
    ]);
    await slot(10);
    expect(await alerts()).toMatchObject([{ status: 'resolved', reason: 'recovered', by: 'ann' }]);
  });

  test('many alerts, many people and an evaluation at once: nobody waits in a circle, and all of it is there', async () => {
    for (let index = 0; index < 8; index += 1) await addRule(stage.db, tenantId, { ...LEVELS, key: `r${index}` });
    await slot(500);
    const ids = (await alerts()).map(({ id }) => id);
    expect(ids).toHaveLength(8);
    const [mine, theirs] = [ids.slice(0, 4), ids.slice(4)];
    await Promise.all([slot(9_000), acknowledge(ids), acknowledge(ids.toReversed()), resolve(theirs.toReversed()), resolve(theirs)]);
    const found = new Map((await alerts()).map((alert) => [alert.id, alert]));
    expect(mine.map((id) => found.get(id)?.status)).toEqual(mine.map(() => 'acknowledged'));
    expect(theirs.map((id) => found.get(id)?.reason)).toEqual(theirs.map(() => 'manual'));
    const ends = (await triggersOf(stage.db, tenantId)).filter(({ kind }) => kind === 'resolved');
    expect(ends).toHaveLength(4);
  });
});
