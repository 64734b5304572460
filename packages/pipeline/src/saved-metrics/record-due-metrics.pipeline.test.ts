import {
  findMetricDefinition,
  insertMetricDefinition,
  type MetricDefinitionRow,
  newId,
  updateMetricDefinition,
  withTenant,
} from '@tocsin/db';
import { parseMetricDefinition, type QueryResult } from '@tocsin/domain';
import type { TelemetryEvent } from '@tocsin/events';
import { describeQueues, webhookReceiver } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { addRule, tenantWith } from '../../test/stage.ts';
import { openWholePipeline, type WholePipeline } from '../../test/whole-pipeline.ts';
import { recordDueMetrics } from './record-due-metrics.ts';
import { startMetricRecorder } from './start-metric-recorder.ts';

const MINUTE = 60_000;
const NEVER = new AbortController().signal;
const OPEN = { key: 'open-issues', name: 'Open issues', unit: 'issues', query: { measure: 'open', aggregation: 'max', window: '5m' } };

describeQueues('saved metrics', (backend) => {
  let whole: WholePipeline;
  let tenantId: string;
  beforeAll(async () => {
    whole = await openWholePipeline(backend);
  });
  afterAll(() => whole.close());
  beforeEach(async () => {
    tenantId = await tenantWith(whole.stage.db, MINUTE);
  });
  afterEach(() => whole.stage.clear());

  const define = async (more: object = {}, owner = tenantId): Promise<MetricDefinitionRow> => {
    const parsed = parseMetricDefinition({ ...OPEN, ...more });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    const row = { ...parsed.definition, tenantId: owner, id: newId(), enabled: true, actor: 'test' };
    return (await withTenant(whole.stage.db, owner, (tx) => insertMetricDefinition(tx, row)))!;
  };
  const stored = async (key = OPEN.key): Promise<MetricDefinitionRow> =>
    (await withTenant(whole.stage.db, tenantId, (tx) => findMetricDefinition(tx, tenantId, key)))!;
  /** Oldest first. */
  const recorded = async (key = OPEN.key, owner = tenantId): Promise<TelemetryEvent[]> => {
    const found = await whole.store.recent(owner, { name: `metric.${key}`, fromMs: 0, toMs: whole.now() + 1, limit: 1_000 });
    return found.toReversed();
  };
  const record = (): Promise<boolean> => recordDueMetrics(whole.stage.deps, NEVER);
  /** Moves time to just after the instant that is due next, or so many later. */
  const passInstants = async (count = 1, key = OPEN.key): Promise<number> => {
    const { nextDueAtMs, everyMs } = await stored(key);
    const instantMs = nextDueAtMs! + (count - 1) * everyMs;
    whole.stage.db.clock.shiftMs += instantMs - whole.now() + 50;
    return instantMs;
  };

  test('each instant of the tenant’s grid is recorded once, whoever else is at it', async () => {
    await define();
    const instants: number[] = [];
    for (let value = 1; value <= 3; value += 1) {
      whole.stage.source.answer = () => value;
      await record();
      instants.push(await passInstants());
      await Promise.all([record(), record(), record(), record()]);
    }
    expect(await recorded()).toEqual(
      instants.map((tsMs, index) => ({ tsMs, name: 'metric.open-issues', dims: {}, measures: { value: index + 1 } })),
    );
    expect(instants.map((at) => at - instants[0]!)).toEqual([0, MINUTE, 2 * MINUTE]);
    expect(await stored()).toMatchObject({ lastRunAtMs: instants[2], nextDueAtMs: instants[2]! + MINUTE, lastSeries: 1, failures: 0 });
  });

  test('what a process read and did not live to write is recorded by another, and when it lives after all, not twice', async () => {
    await define();
    const instantMs = await passInstants();
    let goOn = (): void => undefined;
    const readBy = new Promise<void>((resolve) => {
      whole.stage.source.before = () => {
        resolve();
        return new Promise((wake) => (goOn = wake));
      };
    });
    const paused = record();
    await readBy;
    whole.stage.source.before = () => Promise.resolve();
    expect([await record(), await recorded()]).toEqual([false, []]);
    whole.stage.db.clock.shiftMs += 31_000;
    await record();
    expect(await recorded()).toMatchObject([{ tsMs: instantMs }]);
    goOn();
    await paused;
    expect(await recorded()).toMatchObject([{ tsMs: instantMs }]);
    await passInstants();
    await record();
    expect(await recorded()).toHaveLength(2);
  });

  test('of the instants that passed while everything was down the newest is recorded', async () => {
    await define();
    const newest = await passInstants(7);
    await Promise.all([record(), record()]);
    await record();
    expect(await recorded()).toMatchObject([{ tsMs: newest }]);
    expect((await stored()).nextDueAtMs).toBe(newest + MINUTE);
  });

  test('series are told apart by their labels, and what has no value is not recorded', async () => {
    await define({ query: { ...OPEN.query, groupBy: ['team', 'env'] } });
    const series = [
      { labels: { team: 'a', env: 'prod' }, value: 4, samples: 1 },
      { labels: { team: 'b', env: '' }, value: -0.5, samples: 1 },
      { labels: { team: 'c', env: 'prod' }, value: null, samples: 0 },
    ];
    whole.stage.source.answer = () => ({ kind: 'series', series, dropped: 3 });
    await passInstants();
    await record();
    expect(new Map((await recorded()).map(({ dims, measures }) => [dims['team'], { dims, measures }]))).toEqual(
      new Map([
        ['a', { dims: { team: 'a', env: 'prod' }, measures: { value: 4 } }],
        ['b', { dims: { team: 'b' }, measures: { value: -0.5 } }],
      ]),
    );
    expect(await stored()).toMatchObject({ lastSeries: 2, lastDropped: 3 });
  });

  test.for<[string, () => number | QueryResult, string]>([
    ['whose query fails', () => ({ kind: 'failed', code: 'too_many_series', message: 'more than fit' }), 'too_many_series: more than fit'],
    [
      'that cannot be read',
      () => {
        throw new Error('a secret of the server');
      },
      'query_failed: it could not be read',
    ],
  ])('one %s says so, waits longer each time and stops no other', async ([, answer, lastError]) => {
    const other = await tenantWith(whole.stage.db, MINUTE);
    await define();
    await define({}, other);
    let failing = tenantId;
    whole.stage.source.answer = (owner) => (owner === failing ? answer() : 1);
    whole.stage.db.clock.shiftMs += 2 * MINUTE;
    await record();
    expect(await recorded(OPEN.key, other)).toHaveLength(1);
    const held = await stored();
    expect(held).toMatchObject({ lastError, failures: 1, lastRunAtMs: null });
    whole.stage.db.clock.shiftMs += 5_000;
    await record();
    expect((await stored()).failures).toBe(1);
    whole.stage.db.clock.shiftMs += 6_000;
    await record();
    const again = await stored();
    expect([again.failures, Math.round((again.heldUntilMs! - held.heldUntilMs!) / 10_000)]).toEqual([2, 2]);
    failing = '';
    whole.stage.db.clock.shiftMs += 21_000;
    await record();
    expect(await stored()).toMatchObject({ lastError: null, failures: 0, lastRunAtMs: expect.any(Number) });
    expect(await recorded()).toHaveLength(1);
  });

  test('a query that people changed while it was read is recorded in its new words', async () => {
    const before = await define();
    await passInstants();
    whole.stage.source.before = async () => {
      whole.stage.source.before = () => Promise.resolve();
      const query = { ...OPEN.query, aggregation: 'min', groupBy: [] } as never;
      await withTenant(whole.stage.db, tenantId, (tx) => updateMetricDefinition(tx, before, { ...before, query, actor: 'test' }));
    };
    await record();
    expect(await recorded()).toEqual([]);
    await record();
    expect(await recorded()).toHaveLength(1);
  });

  test('another pace begins after the newest instant that is recorded, and what is disabled is left alone', async () => {
    const first = await define();
    await passInstants();
    await record();
    const row = await withTenant(whole.stage.db, tenantId, (tx) =>
      updateMetricDefinition(tx, first, { ...first, query: first.query as never, everyMs: 10_000, actor: 'test' }),
    );
    expect(row.nextDueAtMs).toBeGreaterThan((await stored()).lastRunAtMs!);
    await passInstants();
    await record();
    expect(await recorded()).toHaveLength(2);
    const off = await stored();
    await withTenant(whole.stage.db, tenantId, (tx) =>
      updateMetricDefinition(tx, off, { ...off, query: off.query as never, enabled: false, actor: 'test' }),
    );
    whole.stage.db.clock.shiftMs += 10 * MINUTE;
    await record();
    expect(await recorded()).toHaveLength(2);
  });

  test('a rule over a saved metric fires, with its values in the message, and nothing else counts them', async () => {
    const receiver = await webhookReceiver();
    await whole.addWebhook(tenantId, receiver.url);
    const other = await tenantWith(whole.stage.db, MINUTE);
    await define({ query: { ...OPEN.query, groupBy: ['team'] } });
    const saved = new Map([[OPEN.key, { unit: OPEN.unit }]]);
    const condition = { metric: OPEN.key, window: '10m', operator: '>', threshold: 5 };
    await addRule(whole.stage.db, tenantId, { key: 'backlog', condition, groupBy: ['team'], notify: ['hook'] }, saved);
    const sent = await addRule(whole.stage.db, tenantId, { key: 'sent', condition: { window: '1h', operator: '>', threshold: 1_000 } });
    const events = [6, 2].map((open, index) => ({
      ts: whole.now() - 15_000,
      name: 'board',
      dims: { team: `t${index}` },
      measures: { open },
    }));
    await whole.store.ingest(tenantId, events);

    await passInstants();
    const recorder = startMetricRecorder({ ...whole.stage.deps, source: whole.store.source });
    await vi.waitFor(async () => expect(await recorded()).toHaveLength(2), 45_000);
    await recorder.close();
    // The slot of the instant itself ends its windows before it; the next one sees it.
    await whole.nextSlot(tenantId);
    await whole.nextSlot(tenantId);
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(1), 45_000);
    const { data } = JSON.parse(receiver.requests[0]!.body) as { data: { alert: object } };
    expect(data.alert).toMatchObject({
      metric: 'open-issues',
      aggregation: 'last',
      value: 6,
      threshold: 5,
      unit: 'issues',
      labels: { team: 't0' },
    });
    expect((await whole.history(tenantId, sent)).at(-1)).toMatchObject({ value: 2, samples: 2 });
    expect(await recorded(OPEN.key, other)).toEqual([]);
    await receiver.close();
  });
});
