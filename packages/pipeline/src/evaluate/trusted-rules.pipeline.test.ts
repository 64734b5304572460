import { fitModel, type HistorySource, type QueryResult, type SeriesHistory } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { evaluationOf } from './start-evaluator.ts';

const EVERY_MS = 60_000;

describeQueues('rules with thresholds that move, levels and bounds', (backend) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.clear());

  /** Evaluates a slot after another, with these answers. */
  const play = async (tenantId: string, answers: readonly (number | QueryResult)[], histories?: HistorySource): Promise<void> => {
    const evaluation = evaluationOf({ ...stage.deps, ...(histories === undefined ? {} : { histories }) });
    for (const answer of answers) {
      stage.source.answer = () => answer;
      stage.db.clock.shiftMs += EVERY_MS;
      await claimDueSlots(stage.deps);
      await evaluateBatch(evaluation, [tenantId]);
    }
    expect((await runsOf(stage.db, tenantId)).every(({ status }) => status !== 'failed')).toBe(true);
  };
  const alerts = (tenantId: string) =>
    asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ severity: string; status: string; reading: Record<string, unknown> }[]>`
        select severity, status, reading from alerts order by started_at, series_key`,
    );
  const timeline = (tenantId: string) =>
    asTenant(stage.db, tenantId, (sql) => sql<{ kind: string; reason: string }[]>`select kind, reason from alert_events order by id`);
  const told = async (tenantId: string) => (await triggersOf(stage.db, tenantId)).map(({ kind }) => kind);
  const series = (...values: number[]): QueryResult => ({
    kind: 'series',
    series: values.map((value, index) => ({ labels: { model: `m${index}` }, value, samples: 5 })),
    dropped: 0,
  });
  const latency = (over: object = {}) => ({ metric: 'latency', window: '5m', operator: '>', threshold: 100, ...over });

  test('a rise of the level is told, a fall is on the timeline and on the alert, a rise to what was told before is told to nobody', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, tenantId, { condition: latency({ threshold: { warning: 100, critical: 500 } }) });
    await play(tenantId, [200, 600, 300, 700, 50]);
    expect(await told(tenantId)).toEqual(['fired', 'escalated', 'resolved']);
    expect((await timeline(tenantId)).map(({ kind, reason }) => `${kind} ${reason}`)).toEqual([
      'fired fired',
      'escalated escalated',
      'severity_changed eased',
      'severity_changed worsened',
      'resolved recovered',
    ]);
    const eased = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, eased, { condition: latency({ threshold: { warning: 100, critical: 500 } }) });
    await play(eased, [600, 300]);
    expect(await alerts(eased)).toMatchObject([{ severity: 'warning', status: 'active', reading: { threshold: 100, value: 300 } }]);
  });

  test('a shadow rule is recorded and opens nothing; promoted, it tells what still holds', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    const ruleId = await addRule(stage.db, tenantId, { condition: latency(), mode: 'shadow' });
    await play(tenantId, [200, 200]);
    expect([await alerts(tenantId), await told(tenantId)]).toEqual([[], []]);
    const [state] = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ phase: string; triggered: number }[]>`
        select series.phase, rules.trigger_count::int as triggered from series_states series join rules on rules.tenant_id = series.tenant_id and rules.id = series.rule_id`,
    );
    expect(state).toEqual({ phase: 'firing', triggered: 1 });
    const [segments] = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ rows: number }[]>`select sum(event_count)::int as rows from segments where stream = 'evaluations'`,
    );
    expect(segments).toEqual({ rows: 2 });
    // As the API does it when the mode changes.
    await asTenant(stage.db, tenantId, async (sql) => {
      await sql`delete from series_states where rule_id = ${ruleId}`;
      await sql`update rules set spec = jsonb_set(spec, '{mode}', '"live"'), version = version + 1 where id = ${ruleId}`;
    });
    await play(tenantId, [200]);
    expect(await told(tenantId)).toEqual(['fired']);
  });

  test('a series that flaps is one alert that says so, until it has calmed down', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, tenantId, { condition: latency(), flapping: { changes: 3, within: '10m' } });
    await play(tenantId, [200, 50, 200, 50, 200, 50, 200, 50]);
    expect(await told(tenantId)).toEqual(['fired', 'resolved', 'fired']);
    expect((await alerts(tenantId)).at(-1)).toMatchObject({ status: 'active', reading: { isFlapping: true } });
    expect((await timeline(tenantId)).map(({ reason }) => reason)).toContain('flapping');
    await play(
      tenantId,
      Array.from({ length: 10 }, () => 50),
    );
    expect(await told(tenantId)).toEqual(['fired', 'resolved', 'fired', 'resolved']);
  });

  test('series past the alerts that a rule may have are counted on the worst one', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, tenantId, { condition: latency(), groupBy: ['model'], maxOpenAlerts: 2 });
    await play(tenantId, [series(200, 900, 300, 400, 50)]);
    const open = await alerts(tenantId);
    expect(open.map(({ reading }) => [reading['value'], reading['excess']])).toEqual([
      [900, 2],
      [400, undefined],
    ]);
    const [health] = await asTenant(stage.db, tenantId, (sql) => sql<{ reason: string }[]>`select health_reason as reason from rules`);
    expect(health?.reason).toBe('max_open_alerts: 2 more series breach than the 2 that may have an alert');
    // Room that is made is taken by the worst that waits.
    await play(tenantId, [series(200, 50, 300, 400, 50)]);
    expect((await alerts(tenantId)).filter(({ status }) => status !== 'resolved').map(({ reading }) => reading['value'])).toEqual([
      400, 300,
    ]);
  });

  test('a baseline is worked out once a day for all slots, says where its threshold came from, and never fires before it is known', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, tenantId, { condition: latency({ threshold: { baseline: { multiplier: 2 } } }) });
    let asked = 0;
    let past: SeriesHistory[] | null = null;
    const histories: HistorySource = {
      history: (requests) => {
        asked += 1;
        const result =
          past === null ? { kind: 'warming' as const, missingHours: 9 } : { kind: 'history' as const, series: past, dropped: 0 };
        return Promise.resolve(requests.map(({ queries }) => queries.map(() => result)));
      },
    };
    await play(tenantId, [1e6], histories);
    const [warming] = await asTenant(
      stage.db,
      tenantId,
      (sql) => sql<{ health: string; reason: string }[]>`select health, health_reason as reason from rules`,
    );
    expect([warming, await told(tenantId), asked]).toEqual([{ health: 'warming', reason: 'warming' }, [], 1]);

    const steps = 7 * 24 * 12;
    past = [{ labels: {}, values: new Float64Array(steps).fill(70), samples: new Float64Array(steps).fill(9) }];
    expect(
      fitModel({ kind: 'baseline', season: 'hourOfDay', statistic: 'median', minSamples: 1, emptyValue: null }, past[0]!, 0).kind,
    ).toBe('buckets');
    asked = 0;
    await play(tenantId, [139, 141, 142], histories);
    // Midnight may lie between two slots.
    expect(asked).toBeLessThanOrEqual(2);
    expect(await told(tenantId)).toEqual(['fired']);
    expect(await alerts(tenantId)).toMatchObject([
      { reading: { value: 142, threshold: 140, origin: { kind: 'baseline', baseline: 70, multiplier: 2, season: 'hourOfDay' } } },
    ]);
    expect((await triggersOf(stage.db, tenantId))[0]?.snapshot).toMatchObject({
      why: 'the median at this hour of the day is 70 ms, times 2',
    });
  });

  test('a rule that refers to others is judged after them, by how they stand at the same slot', async () => {
    const tenantId = await tenantWith(stage.db, EVERY_MS);
    await addRule(stage.db, tenantId, {
      key: 'both',
      condition: { all: [{ rule: 'z-slow' }, { not: { rule: 'a-quiet', is: 'firing' } }] },
    });
    await addRule(stage.db, tenantId, { key: 'z-slow', condition: latency() });
    await addRule(stage.db, tenantId, { key: 'a-quiet', condition: latency({ threshold: 1_000 }) });
    const openRules = async () =>
      (
        await asTenant(
          stage.db,
          tenantId,
          (sql) => sql<{ key: string }[]>`select rule_key as key from alerts where resolved_at is null order by rule_key`,
        )
      ).map(({ key }) => key);
    await play(tenantId, [200]);
    expect(await openRules()).toEqual(['both', 'z-slow']);
    await play(tenantId, [2_000]);
    expect(await openRules()).toEqual(['a-quiet', 'z-slow']);
  });
});
