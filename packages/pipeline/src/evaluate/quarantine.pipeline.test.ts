import { releaseRule, withTenant } from '@tocsin/db';
import type { MetricSource, QueryResult } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { EVALUATION_BOUNDS } from './evaluation-bounds.ts';
import type { RuleCache } from './rule-cache.ts';
import { evaluationOf } from './start-evaluator.ts';

const EVERY_MS = 600_000;
const HOUR = 3_600_000;
const FAILED: QueryResult = { kind: 'failed', code: 'too_many_series', message: 'more than 9' };
const reads = (value: number): QueryResult => ({ kind: 'series', series: [{ labels: {}, value, samples: 5 }], dropped: 0 });

describeQueues('a rule that fails', (backend) => {
  let stage: Stage;
  let tenantId: string;
  let ruleId: string;
  /** What the events of that name answer. */
  let answers: Record<string, QueryResult>;
  let asked: (string | null)[];
  let rules: RuleCache;
  const source: MetricSource = {
    read: (requests, signal) => {
      signal.throwIfAborted();
      const names = requests.flatMap(({ queries }) => queries.map(({ query }) => query.name));
      asked.push(...names);
      return Promise.resolve(requests.map(({ queries }) => queries.map(({ query }) => answers[query.name ?? ''] ?? reads(0))));
    },
  };
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  const condition = (name: string, window = '5m') => ({ metric: 'latency', name, window, operator: '>', threshold: 100 });
  beforeEach(async () => {
    [answers, asked, rules] = [{}, [], evaluationOf(stage.deps).rules];
    tenantId = await tenantWith(stage.db, EVERY_MS);
    ruleId = await addRule(stage.db, tenantId, { key: 'bad', name: 'Bad', condition: condition('bad') });
    await addRule(stage.db, tenantId, { key: 'good', condition: condition('good') });
  });

  const passSlot = async (more: object = {}): Promise<void> => {
    stage.db.clock.shiftMs += EVERY_MS;
    await claimDueSlots(stage.deps);
    asked = [];
    await evaluateBatch({ ...evaluationOf(stage.deps), source, rules, ...more }, [tenantId]);
  };
  const passSlots = async (count: number, more: object = {}): Promise<void> => {
    for (let slot = 0; slot < count; slot += 1) await passSlot(more);
  };
  const inbox = () =>
    asTenant(stage.db, tenantId, (sql) => sql<{ title: string; body: { ruleId: string } }[]>`select title, body from inbox order by id`);
  interface Standing {
    health: string;
    reason: string | null;
    failures: number;
    quarantined: boolean;
    pauseMs: number | null;
  }
  const standing = async (key = 'bad'): Promise<Standing> => {
    const [row] = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<Standing[]>`
        select health, health_reason as reason, failures, quarantined_at is not null as quarantined,
          round(extract(epoch from quarantined_until - tocsin_now()) / 60)::int * 60000 as "pauseMs"
        from rules where key = ${key}`,
    );
    return row!;
  };

  test('three times in a row is left out, its owner told, and the tenant’s other rules go on', async () => {
    answers = { bad: FAILED };
    await passSlots(2);
    expect(await standing()).toMatchObject({ health: 'error', reason: 'too_many_series: more than 9', failures: 2, quarantined: false });
    expect(await inbox()).toEqual([]);
    await passSlot();
    expect(await standing()).toMatchObject({
      health: 'error',
      reason: 'quarantined: too_many_series: more than 9',
      quarantined: true,
      pauseMs: HOUR,
    });
    expect(await inbox()).toMatchObject([{ title: 'The rule “Bad” is in quarantine', body: { ruleId } }]);

    answers = { bad: FAILED, good: reads(500) };
    await passSlot();
    expect(asked).toEqual(['good']);
    expect((await runsOf(stage.db, tenantId)).at(-1)).toMatchObject({ status: 'done', rules: 1, triggers: 1 });
    expect(await standing('good')).toEqual({ health: 'ok', reason: null, failures: 0, quarantined: false, pauseMs: null });
  });

  test('is tried again after a pause that doubles, without another word, and is out as soon as it works', async () => {
    answers = { bad: FAILED };
    await passSlots(3);
    const pauses: (number | null)[] = [];
    for (const hours of [1, 2, 4, 8, 16, 24]) {
      stage.db.clock.shiftMs += hours * HOUR;
      await passSlot();
      expect(asked, `after ${hours} h`).toContain('bad');
      pauses.push((await standing()).pauseMs);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 24, 24].map((hours) => hours * HOUR));
    expect(await inbox()).toHaveLength(1);

    answers = {};
    stage.db.clock.shiftMs += 24 * HOUR;
    await passSlot();
    expect(await standing()).toEqual({ health: 'ok', reason: null, failures: 0, quarantined: false, pauseMs: null });
    answers = { bad: FAILED };
    await passSlots(3);
    expect(await standing()).toMatchObject({ pauseMs: HOUR });
    expect(await inbox(), 'a quarantine of its own').toHaveLength(2);
  });

  test('twice, and works, has nothing held against it', async () => {
    answers = { bad: FAILED };
    await passSlots(2);
    answers = {};
    await passSlot();
    expect(await standing()).toMatchObject({ health: 'ok', failures: 0 });
    answers = { bad: FAILED };
    await passSlots(2);
    expect(await standing()).toMatchObject({ failures: 2, quarantined: false });
  });

  test('because it takes the processor for too long does so, too, and what it found counts until then', async () => {
    answers = { bad: reads(500) };
    await passSlots(3, { runBounds: { ...EVALUATION_BOUNDS, ruleTimeMs: -1 } });
    expect(await triggersOf(stage.db, tenantId)).toMatchObject([{ kind: 'fired' }]);
    const { health, reason } = await standing();
    expect([health, reason]).toEqual(['error', expect.stringMatching(/^quarantined: overran: took 0 s of the processor/)]);
  });

  test('because it cannot be judged does so, too', async () => {
    answers = { bad: { kind: 'series', series: [null], dropped: 0 } as unknown as QueryResult };
    await passSlots(3);
    expect((await standing()).reason).toMatch(/^quarantined: evaluation_error: /);
    expect(await standing('good')).toMatchObject({ health: 'ok', quarantined: false });
  });

  describe('for a reason that is not its own', () => {
    test.each<[string, QueryResult]>([['hours that are still prepared', { kind: 'warming', missingHours: 3 }]])(
      '(%s) is looked at all the same',
      async (_why, answer) => {
        answers = { bad: answer };
        await passSlots(4);
        expect(asked).toContain('bad');
        expect(await standing()).toMatchObject({ failures: 0, quarantined: false });
      },
    );

    test('(a run that fails as a whole) is looked at all the same', async () => {
      const away: MetricSource = { read: () => Promise.reject(Object.assign(new Error('gone'), { code: '57P01' })) };
      await passSlots(4, { source: away });
      expect(await standing()).toMatchObject({ failures: 0, quarantined: false });
    });

    test('(queries that are late) is to blame where its windows are half of all, and else nobody is', async () => {
      const hanging: MetricSource = {
        read: (_requests, signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      };
      const late = { source: hanging, runBounds: { ...EVALUATION_BOUNDS, queryTimeMs: 20 } };
      await passSlot(late);
      expect(await standing()).toMatchObject({ health: 'error', failures: 0 });
      expect((await standing()).reason).toMatch(/^run_timeout: /);
      const wide = await addRule(stage.db, tenantId, { key: 'wide', condition: condition('wide', '6h') });
      await passSlots(3, late);
      expect(await standing('wide')).toMatchObject({ reason: 'quarantined: query_timeout: not answered within 0.02 s' });
      expect(await standing()).toMatchObject({ failures: 0, quarantined: false });
      expect(await inbox()).toMatchObject([{ body: { ruleId: wide } }]);
    });
  });

  test('and is let out by people begins anew', async () => {
    answers = { bad: FAILED };
    await passSlots(3);
    expect(await withTenant(stage.db, tenantId, (tx) => releaseRule(tx, tenantId, ruleId))).toBe(true);
    expect(await standing()).toMatchObject({ health: 'error', reason: 'too_many_series: more than 9', failures: 0, quarantined: false });
    await passSlot();
    expect(asked).toContain('bad');
    expect(await standing()).toMatchObject({ failures: 1, quarantined: false });
  });

  test.each(['by itself', 'by people'])('and comes back %s has not held its breach meanwhile', async (how) => {
    await asTenant(stage.db, tenantId, (sql) => sql`delete from rules`);
    await addRule(stage.db, tenantId, { key: 'held', condition: condition('held'), for: '30m' });
    answers = { held: reads(500) };
    await passSlot();
    answers = { held: FAILED };
    await passSlots(3);
    answers = { held: reads(500) };
    await passSlots(how === 'by itself' ? 5 : 3);
    expect(asked, 'in quarantine').toEqual([]);
    if (how === 'by people') {
      const [rule] = await asTenant(stage.db, tenantId, (sql) => sql<{ id: string }[]>`select id from rules`);
      await withTenant(stage.db, tenantId, (tx) => releaseRule(tx, tenantId, rule!.id));
    }
    await passSlots(3);
    expect(await triggersOf(stage.db, tenantId)).toEqual([]);
    await passSlot();
    expect(await triggersOf(stage.db, tenantId)).toMatchObject([{ kind: 'fired' }]);
  });

  test('never costs the row of one that works a write', async () => {
    await passSlot();
    const places = () =>
      asTenant(stage.db, tenantId, (sql) => sql<{ key: string; place: string }[]>`select key, ctid::text as place from rules order by key`);
    const before = await places();
    answers = { bad: reads(7), good: reads(8) };
    await passSlots(3);
    expect(await places()).toEqual(before);
  });
});
