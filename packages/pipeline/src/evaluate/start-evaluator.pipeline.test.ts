import { closeAlertsOfRule, withTenant, type SqlTx } from '@tocsin/db';
import { dispatchTrigger, evaluateRuns, type Consumer } from '@tocsin/queue';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { sweep } from '../sweep/sweep.ts';
import { startEvaluator } from './start-evaluator.ts';

/** Long against the time a test takes, so that no slot falls due by itself. */
const EVERY_MS = 600_000;
/** Where the slots are so short that a busy machine may be late for one. */
const EVALUATED = expect.stringMatching(/^(done|late)$/) as string;
const ENDED = ['done', 'late', 'failed', 'skipped'];

describeQueues('evaluating runs', (backend) => {
  let stage: Stage;
  let evaluators: Consumer[];
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  beforeEach(() => {
    evaluators = [];
  });
  afterEach(async () => {
    for (const evaluator of evaluators) await evaluator.close();
    await stage.clear();
  });

  const tenant = (everyMs: number = EVERY_MS): Promise<string> => tenantWith(stage.db, everyMs);

  const evaluator = async (): Promise<void> => {
    const consumer = startEvaluator(stage.deps);
    evaluators.push(consumer);
    await consumer.ready();
  };

  /** Claims the next slot of everybody. */
  const passSlots = async (slots = 1, everyMs = EVERY_MS): Promise<void> => {
    for (let slot = 0; slot < slots; slot += 1) {
      stage.db.clock.shiftMs += everyMs;
      await claimDueSlots(stage.deps);
    }
  };

  const untilEnded = (tenantId: string, runs: number): Promise<void> =>
    vi.waitFor(
      async () => {
        const ended = (await runsOf(stage.db, tenantId)).filter((run) => ENDED.includes(run.status));
        expect(ended.length).toBe(runs);
      },
      { timeout: 45_000, interval: 20 },
    );

  const alertsOf = (tenantId: string) =>
    asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ id: string; status: string; reason: string | null; severity: string; peak: number; timeline: string[] }[]>`
      select id, status, resolve_reason as reason, severity, (reading ->> 'peak')::float8 as peak,
             (select array_agg(kind order by at, id) from alert_events where alert_id = alerts.id) as timeline
      from alerts order by started_at`,
    );

  const kindsOf = async (tenantId: string): Promise<string[]> =>
    (await triggersOf(stage.db, tenantId)).map((trigger) => `${trigger.seq} ${trigger.kind}`);

  test('a breach fires once, goes on untold, and resolves: one alert, two triggers in order, all of it on its timeline', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    await evaluator();
    const values = [50, 500, 900, 700, 20];
    for (const [index, value] of values.entries()) {
      stage.source.answer = () => value;
      await passSlots();
      await untilEnded(tenantId, index + 1);
    }
    expect(await kindsOf(tenantId)).toEqual(['1 fired', '2 resolved']);
    expect(await triggersOf(stage.db, tenantId)).toMatchObject([
      { status: 'triggered', snapshot: { value: 500 } },
      { status: 'resolved', snapshot: { value: 20 } },
    ]);
    expect(await alertsOf(tenantId)).toMatchObject([
      { status: 'resolved', reason: 'recovered', peak: 900, timeline: ['fired', 'resolved'] },
    ]);
    expect((await runsOf(stage.db, tenantId)).map((run) => [run.status, run.rules, run.triggers])).toEqual([
      ['done', 1, 0],
      ['done', 1, 1],
      ['done', 1, 0],
      ['done', 1, 0],
      ['done', 1, 1],
    ]);
    const [rule] = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ count: number; health: string; at: number }[]>`
      select trigger_count as count, health, last_triggered_at as at from rules`,
    );
    expect(rule).toMatchObject({ count: 1, health: 'ok', at: (await runsOf(stage.db, tenantId))[1]!.slotMs });
  });

  test('an alert that is still open at a later slot is active', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    stage.source.answer = () => 500;
    await evaluator();
    await passSlots();
    await untilEnded(tenantId, 1);
    expect(await alertsOf(tenantId)).toMatchObject([{ status: 'triggered' }]);
    await passSlots();
    await untilEnded(tenantId, 2);
    expect(await alertsOf(tenantId)).toMatchObject([{ status: 'active' }]);
  });

  test('an unchanged series costs no row', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    await evaluator();
    await passSlots(1);
    await untilEnded(tenantId, 1);
    const rows = () => asTenant(stage.db, tenantId, (sql) => sql`select xmin::text, version from series_states`);
    const before = await rows();
    expect(before).toHaveLength(1);
    for (let slot = 2; slot <= 4; slot += 1) {
      await passSlots();
      await untilEnded(tenantId, slot);
    }
    expect(await rows()).toEqual(before);
  });

  test('a backlog of one tenant is evaluated in order, by many evaluators, each slot once', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    await passSlots(6);
    const committed: number[] = [];
    stage.source.answer = () => committed.length;
    await Promise.all([evaluator(), evaluator(), evaluator()]);
    await untilEnded(tenantId, 6);
    const ends = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ finished: number }[]>`select finished_at as finished from runs order by slot_at`,
    );
    expect(ends.map((run) => run.finished)).toEqual(ends.map((run) => run.finished).toSorted((a, b) => a - b));
    expect((await runsOf(stage.db, tenantId)).every((run) => run.attempts === 1)).toBe(true);
  });

  test('a run that ends over one `every` after its slot is late', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    await passSlots();
    stage.db.clock.shiftMs += 2 * EVERY_MS;
    await evaluator();
    await untilEnded(tenantId, 1);
    expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'late' }]);
  });

  test('a breach inside the cooldown is recorded and not told; at its end it fires if it still holds', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId, { cooldown: '30m' });
    await evaluator();
    let slots = 0;
    const slotWith = async (value: number): Promise<string[]> => {
      stage.source.answer = () => value;
      await passSlots();
      await untilEnded(tenantId, (slots += 1));
      return kindsOf(tenantId);
    };
    expect(await slotWith(500)).toEqual(['1 fired']);
    expect(await slotWith(0)).toEqual(['1 fired', '2 resolved']);
    expect(await slotWith(500)).toEqual(['1 fired', '2 resolved']);
    expect(await slotWith(500)).toEqual(['1 fired', '2 resolved', '1 fired']);
  });

  test('a failed query is recorded as such: nothing resolves, the rule is in error, and says so until it answers', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    await evaluator();
    stage.source.answer = () => 500;
    await passSlots();
    await untilEnded(tenantId, 1);
    stage.source.answer = () => ({ kind: 'failed', code: 'query_failed', message: 'no' });
    await passSlots();
    await untilEnded(tenantId, 2);
    const health = async () => (await asTenant(stage.db, tenantId, (sql) => sql`select health, health_reason as reason from rules`))[0];
    expect(await health()).toEqual({ health: 'error', reason: 'query_failed: no' });
    expect(await kindsOf(tenantId)).toEqual(['1 fired']);
    stage.source.answer = () => 500;
    await passSlots();
    await untilEnded(tenantId, 3);
    expect(await health()).toEqual({ health: 'ok', reason: null });
    expect(await kindsOf(tenantId)).toEqual(['1 fired']);
  });

  /** Lets the run get as far as its queries, does `meanwhile`, and lets it go on. */
  const duringRun = async (tenantId: string, meanwhile: () => Promise<unknown>): Promise<void> => {
    let isDone = false;
    stage.source.before = async (requests) => {
      if (isDone || !requests.some((request) => request.tenantId === tenantId)) return;
      isDone = true;
      await meanwhile();
    };
    await passSlots();
    await untilEnded(tenantId, 1);
    expect(isDone).toBe(true);
  };

  test.each([
    ['disabled', (sql: SqlTx, id: string) => sql`update rules set enabled = false, version = version + 1 where id = ${id}`],
    ['edited', (sql: SqlTx, id: string) => sql`update rules set version = version + 1 where id = ${id}`],
    ['deleted', (sql: SqlTx, id: string) => sql`delete from rules where id = ${id}`],
  ])('a rule that is %s mid-run does not fire; the tenant’s other rules do', async (_how, change) => {
    const tenantId = await tenant();
    const changed = await addRule(stage.db, tenantId);
    const other = await addRule(stage.db, tenantId, { key: 'other' });
    stage.source.answer = () => 500;
    await evaluator();
    await duringRun(tenantId, () => asTenant(stage.db, tenantId, (sql) => change(sql, changed)));
    const alerts = await asTenant(stage.db, tenantId, (sql) => sql`select rule_id from alerts`);
    expect(alerts).toEqual([{ rule_id: other }]);
    expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'done', rules: 2, triggers: 1 }]);
  });

  test('what was done to a series mid-run wins over what the run found', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    await evaluator();
    await passSlots();
    await untilEnded(tenantId, 1);
    stage.source.answer = () => 500;
    stage.source.before = async () =>
      void (await asTenant(stage.db, tenantId, (sql) => sql`update series_states set version = version + 1`));
    await passSlots();
    await untilEnded(tenantId, 2);
    expect(await kindsOf(tenantId)).toEqual([]);
    stage.source.before = () => Promise.resolve();
    await passSlots();
    await untilEnded(tenantId, 3);
    expect(await kindsOf(tenantId)).toEqual(['1 fired']);
  });

  test('editing a condition closes its open alerts with a reason and tells of it; the rule starts afresh', async () => {
    const tenantId = await tenant();
    const ruleId = await addRule(stage.db, tenantId);
    stage.source.answer = () => 500;
    await evaluator();
    await passSlots();
    await untilEnded(tenantId, 1);
    await asTenant(stage.db, tenantId, (sql) => sql`update rules set version = version + 1 where id = ${ruleId}`);
    const triggers = await withTenant(stage.db, tenantId, (tx) => closeAlertsOfRule(tx, tenantId, ruleId, 'rule_changed'));
    expect(triggers).toHaveLength(1);
    expect(await alertsOf(tenantId)).toMatchObject([{ status: 'resolved', reason: 'rule_changed', timeline: ['fired', 'resolved'] }]);
    expect(await kindsOf(tenantId)).toEqual(['1 fired', '2 resolved']);
    await passSlots();
    await untilEnded(tenantId, 2);
    expect(await kindsOf(tenantId)).toEqual(['1 fired', '2 resolved', '1 fired']);
  });

  test('two evaluators with one run commit it once: the one whose lease ran out is fenced off', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    stage.source.answer = () => 500;
    const reads: string[] = [];
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    stage.source.before = async () => {
      reads.push('read');
      if (reads.length === 1) await held;
    };
    await evaluator();
    await passSlots();
    await vi.waitFor(() => expect(reads).toHaveLength(1), 45_000);
    await asTenant(
      stage.db,
      tenantId,
      (sql) => sql`update runs set lease_until = tocsin_now() - interval '1 second', hinted_at = tocsin_now() - interval '1 minute'`,
    );
    await evaluator();
    await sweep(stage.deps);
    await untilEnded(tenantId, 1);
    const committed = await asTenant(stage.db, tenantId, (sql) => sql`select finished_at, attempts from runs`);
    letGo();
    await evaluators[0]!.close();
    expect(await asTenant(stage.db, tenantId, (sql) => sql`select finished_at, attempts from runs`)).toEqual(committed);
    expect(committed).toMatchObject([{ attempts: 2 }]);
    expect(await kindsOf(tenantId)).toEqual(['1 fired']);
  });

  test('a database error mid-run is retried, and nothing is told twice or resolved by it', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    stage.source.answer = () => 500;
    await evaluator();
    await passSlots();
    await untilEnded(tenantId, 1);
    let failures = 0;
    stage.source.before = () => {
      failures += 1;
      if (failures > 2) return Promise.resolve();
      return Promise.reject(Object.assign(new Error('terminating connection'), { code: '57P01' }));
    };
    await passSlots();
    await untilEnded(tenantId, 2);
    expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'done' }, { status: 'done', reason: null }]);
    expect(failures).toBe(3);
    expect(await kindsOf(tenantId)).toEqual(['1 fired']);
  });

  test('a tenant whose runs keep failing is backed off and told once; others are evaluated; it recovers by itself', async () => {
    const poison = await tenant(20_000);
    await addRule(stage.db, poison);
    const healthy = await tenant(20_000);
    await addRule(stage.db, healthy);
    stage.source.before = (requests) =>
      requests.some((request) => request.tenantId === poison) ? Promise.reject(new Error('cannot be read')) : Promise.resolve();
    await evaluator();
    await passSlots(1, 20_000);
    await untilEnded(healthy, 1);
    await untilEnded(poison, 1);
    expect(await runsOf(stage.db, healthy)).toMatchObject([{ status: EVALUATED, attempts: 1 }]);
    expect(await runsOf(stage.db, poison)).toMatchObject([{ status: 'failed', attempts: 3, reason: 'evaluation_error' }]);
    const messages = () => asTenant(stage.db, poison, (sql) => sql<{ title: string }[]>`select title from inbox`);
    expect(await messages()).toEqual([{ title: 'Your rules could not be evaluated' }]);

    await passSlots(1, 20_000);
    await untilEnded(healthy, 2);
    expect(await runsOf(stage.db, poison)).toHaveLength(1);

    stage.db.clock.shiftMs += 60_000;
    await claimDueSlots(stage.deps);
    await vi.waitFor(async () => expect((await runsOf(stage.db, poison)).filter((run) => run.status === 'failed')).toHaveLength(2), {
      timeout: 45_000,
    });
    expect(await runsOf(stage.db, poison)).toMatchObject([
      { status: 'failed' },
      { status: 'skipped', reason: 'backed_off' },
      { status: 'failed' },
    ]);
    expect(await messages()).toHaveLength(1);

    stage.source.before = () => Promise.resolve();
    stage.db.clock.shiftMs += 120_000;
    await claimDueSlots(stage.deps);
    await vi.waitFor(async () => expect((await runsOf(stage.db, poison)).at(-1)).toMatchObject({ status: EVALUATED }), { timeout: 45_000 });
    const [schedule] = await asTenant(stage.db, poison, (sql) => sql`select failed_runs, backed_off_until from schedules`);
    expect(schedule).toEqual({ failed_runs: 0, backed_off_until: null });
  });

  test('a rule whose stored words cannot be evaluated is in error, by itself and until they can; its alert stays, the tenant’s other rules go on', async () => {
    const tenantId = await tenant();
    const broken = await addRule(stage.db, tenantId);
    const other = await addRule(stage.db, tenantId, { key: 'other' });
    stage.source.answer = () => 500;
    await evaluator();
    await passSlots();
    await untilEnded(tenantId, 1);
    // As a version of the program that knows more would have stored it; the cache of rules knows a version for ever.
    const store = (window: string) =>
      asTenant(
        stage.db,
        tenantId,
        (sql) => sql`
      update rules set spec = jsonb_set(spec, '{condition,window}', to_jsonb(${window}::text)), version = version + 1 where id = ${broken}`,
      );
    const health = () =>
      asTenant(stage.db, tenantId, (sql) => sql`select id, health, health_reason as reason from rules order by key desc`);
    await store('1 fortnight');
    for (let run = 2; run <= 3; run += 1) {
      await passSlots();
      await untilEnded(tenantId, run);
      expect((await runsOf(stage.db, tenantId)).at(-1)).toMatchObject({ status: 'done', rules: 2 });
      expect(await health()).toEqual([
        { id: broken, health: 'error', reason: 'rule_unreadable: not a duration: 1 fortnight' },
        { id: other, health: 'ok', reason: null },
      ]);
    }
    expect(await alertsOf(tenantId)).toMatchObject([{ status: 'triggered' }, { status: 'active' }]);
    await store('5m');
    stage.source.answer = () => 0;
    await passSlots();
    await untilEnded(tenantId, 4);
    expect(await health()).toMatchObject([{ health: 'ok', reason: null }, { health: 'ok' }]);
    expect(await alertsOf(tenantId)).toMatchObject([{ status: 'resolved' }, { status: 'resolved' }]);
  });

  test('of the runs of one hint those that failed are hinted again, and no other', async () => {
    const [poison, healthy] = [await tenant(), await tenant()];
    for (const tenantId of [poison, healthy]) await addRule(stage.db, tenantId);
    await passSlots();
    await stage.wipeQueues();
    const runs = await Promise.all(
      [poison, healthy].map(async (tenantId) => ({ tenantId, runId: (await runsOf(stage.db, tenantId))[0]!.id })),
    );
    stage.source.before = (requests) =>
      requests.some((request) => request.tenantId === poison) ? Promise.reject(new Error('cannot be read')) : Promise.resolve();
    await stage.queues.producer(evaluateRuns).send({ runs });
    await evaluator();
    await untilEnded(healthy, 1);
    const board = stage.queues.forBoard().find(({ name }) => name === 'evaluations');
    await vi.waitFor(
      async () => expect((await board?.getDelayed())?.map(({ data }): unknown => data)).toEqual([{ runs: [runs[0]] }]),
      5_000,
    );
    await untilEnded(poison, 1);
    expect((await runsOf(stage.db, healthy))[0]).toMatchObject({ status: 'done', attempts: 1 });
  });

  test('a run whose evaluators die of it is failed after three leases', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    await passSlots();
    await asTenant(
      stage.db,
      tenantId,
      (sql) => sql`
      update runs set status = 'running', attempts = 3, lease_token = gen_random_uuid(), lease_until = tocsin_now() - interval '1 second'`,
    );
    await evaluator();
    await untilEnded(tenantId, 1);
    expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'failed', reason: 'attempts_exhausted' }]);
  });

  test('queries that take too long count as failed for the one run they belong to', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort());
    stage.source.before = (_requests, signal) => (signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve());
    await evaluator();
    await passSlots();
    await untilEnded(tenantId, 1);
    timeout.mockRestore();
    expect(await runsOf(stage.db, tenantId)).toMatchObject([{ status: 'done' }]);
    const [rule] = await asTenant(stage.db, tenantId, (sql) => sql`select health, health_reason as reason from rules`);
    expect(rule).toMatchObject({ health: 'error', reason: 'query_timeout: not answered within 30 s' });
  });

  test('triggers and the next run are hinted right after the commit', async () => {
    const tenantId = await tenant();
    await addRule(stage.db, tenantId);
    stage.source.answer = () => 500;
    const told: string[] = [];
    const dispatcher = stage.queues.consumer(dispatchTrigger, { concurrency: 1 }, (payload) => {
      if (payload.tenantId === tenantId) told.push(payload.triggerId);
      return Promise.resolve();
    });
    await passSlots(2);
    await stage.wipeQueues();
    await evaluator();
    const [first] = await runsOf(stage.db, tenantId);
    await stage.queues.producer(evaluateRuns).send({ runs: [{ tenantId, runId: first!.id }] });
    await untilEnded(tenantId, 2);
    await vi.waitFor(() => expect(told).toHaveLength(1), 45_000);
    await dispatcher.close();
  });
});
