import { insertSegments, openDatabase, withTenantsSql } from '@tocsin/db';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { COUNT, countOf, HOUR, minuteClock, MINUTE, NEVER, openStore } from '../test/open-store.ts';
import { encodeEvaluations } from './evaluations/encode-evaluations.ts';
import type { EvaluationRow } from './evaluation-row.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

const clock = minuteClock();
const now = clock.now();

test('a cached store sees what others add, and answers the same as one that never read before', async () => {
  const { tenantId } = await makeTenant(database.db);
  const [writer, reader] = [openStore(database.db, { clock }), openStore(database.db, { clock })];
  for (let minute = 1; minute <= 5; minute++) {
    await writer.ingest(tenantId, [{ ts: now - minute * 10_000, name: 'call' }]);
    expect(await countOf(reader, tenantId, now, HOUR)).toBe(minute);
  }
  expect(await countOf(openStore(database.db, { clock }), tenantId, now, HOUR)).toBe(5);
});

test('a cache too small for one segment is no reason to miss any', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock, bounds: { cacheBytes: 1 } });
  for (let minute = 1; minute <= 4; minute++) await store.ingest(tenantId, [{ ts: now - minute * MINUTE, name: 'call' }]);
  for (let i = 0; i < 3; i++) expect(await countOf(store, tenantId, now, HOUR)).toBe(4);
});

test('one call answers many tenants, each with its own windows, in the order asked', async () => {
  const tenants = await Promise.all([1, 2, 3].map(() => makeTenant(database.db)));
  const store = openStore(database.db, { clock });
  await Promise.all(
    tenants.map(({ tenantId }, i) =>
      store.ingest(
        tenantId,
        Array.from({ length: i + 1 }, () => ({ ts: now - i * HOUR - 1, name: 'call' })),
      ),
    ),
  );
  const requests = tenants.map(({ tenantId }, i) => ({
    tenantId,
    queries: [
      { query: { ...COUNT, windowMs: (i + 1) * HOUR }, endMs: now },
      { query: COUNT, endMs: now - i * HOUR },
    ],
  }));
  const values = (await store.source.read([...requests, { tenantId: tenants[0]!.tenantId, queries: [] }], NEVER)).map((results) =>
    results.map((result) => (result.kind === 'series' ? result.series[0]!.value : result.kind === 'failed' ? result.code : 'warming')),
  );
  expect(values).toEqual([[1, 1], [2, 2], [3, 3], []]);
});

test('a read that is called off leaves a statement that does not end, and the next read has a connection', async () => {
  const { tenantId } = await makeTenant(database.db);
  const oneConnection = openDatabase({ url: database.appUrl, applicationName: 'one', maxConnections: 5 });
  const store = openStore(oneConnection, { clock });
  const admin = postgres(database.adminUrl, { max: 1 });
  const late = new Error('late');
  await admin.begin(async (sql) => {
    await sql`lock table tocsin.segments in access exclusive mode`;
    const calledOff = new AbortController();
    const reading = store.source.read([{ tenantId, queries: [{ query: COUNT, endMs: now }] }], calledOff.signal);
    await vi.waitFor(async () => {
      const waiting = await database.db.sql`select from pg_stat_activity where application_name = 'one' and wait_event_type = 'Lock'`;
      expect(waiting).toHaveLength(1);
    });
    calledOff.abort(late);
    await expect(reading).rejects.toBe(late);
  });
  expect(await countOf(store, tenantId, now, HOUR)).toBe(0);
  await admin.end();
  await oneConnection.close();
});

test('a read that is called off rejects', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await expect(store.source.read([{ tenantId, queries: [{ query: COUNT, endMs: now }] }], AbortSignal.abort())).rejects.toThrow();
});

test('a range has a point at every step for every series', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [
    { ts: now - 3 * MINUTE, name: 'call', dims: { model: 'a' }, measures: { cost: 2 } },
    { ts: now - 1, name: 'call', dims: { model: 'a' }, measures: { cost: 3 } },
    { ts: now - 1, name: 'call', dims: { model: 'b' }, measures: { cost: 5 } },
  ]);
  const query = {
    ...COUNT,
    subject: { kind: 'measure', measures: ['cost'], orSumOf: [] },
    aggregation: 'max',
    groupBy: ['model'],
    windowMs: MINUTE,
  } as const;
  const { series, dropped } = await store.queryRange(tenantId, query, { fromMs: now - 3 * MINUTE, toMs: now, stepMs: MINUTE }, NEVER);
  expect(dropped).toBe(0);
  expect(series.map(({ labels, points }) => [labels, points.map(({ atMs, value }) => [(atMs - now) / MINUTE, value])])).toEqual([
    [
      { model: 'a' },
      [
        [-2, 2],
        [-1, null],
        [0, 3],
      ],
    ],
    [
      { model: 'b' },
      [
        [-2, null],
        [-1, null],
        [0, 5],
      ],
    ],
  ]);
});

const CHANGED = { kind: 'change', versus: '1h', base: 4.5, percent: -100, floor: null } as const;

const row = (slotMs: number, ruleId: string, series: Record<string, string>, more: Partial<EvaluationRow> = {}): EvaluationRow => ({
  ruleId,
  runId: `run-${slotMs}`,
  slotMs,
  evaluatedAtMs: slotMs + 42,
  seriesKey: JSON.stringify(series),
  labels: series,
  value: 1.5,
  threshold: 1,
  operator: '>',
  triggered: true,
  samples: 3,
  comparison: 0,
  origin: null,
  windowFromMs: slotMs - 310_000,
  windowToMs: slotMs - 10_000,
  durationMs: 7.25,
  outcome: 'fired',
  reason: null,
  severity: 'warning',
  version: 4,
  ...more,
});

test('evaluations come back as they were, newest slot first, page by page, before and after compaction', async () => {
  const { tenantId } = await makeTenant(database.db);
  const other = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  const slots = [now - 20 * MINUTE, now - 19 * MINUTE, now - 19 * MINUTE + 10_000];
  const expected: EvaluationRow[] = [];
  for (const slotMs of slots) {
    const empty = {
      value: null,
      threshold: null,
      operator: null,
      triggered: false,
      samples: 0,
      severity: null,
      outcome: 'no_data',
      reason: 'no_series',
    };
    const ofRule = [
      row(slotMs, 'rule', { model: 'a' }),
      row(slotMs, 'rule', { model: 'b' }, { value: 0, reason: 'cooldown', comparison: 2, origin: CHANGED }),
      row(slotMs, 'rule', {}, empty),
    ];
    await withTenantsSql(database.db, [tenantId], (sql) =>
      insertSegments(sql, encodeEvaluations(tenantId, [...ofRule, row(slotMs, 'another', {})])),
    );
    expected.unshift(...ofRule);
  }
  for (const round of ['fresh', 'compacted']) {
    const found: EvaluationRow[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.readEvaluations(tenantId, 'rule', { limit: 2, cursor });
      found.push(...page.rows);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(found, round).toEqual(expected);
    expect((await store.readEvaluations(other.tenantId, 'rule', { limit: 10 })).rows).toEqual([]);
    expect(await countOf(store, tenantId, now, HOUR), 'evaluations are no telemetry').toBe(0);
    await store.compact([tenantId], NEVER);
  }
});

test('an evaluation is read while more people ask than there are connections', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [{ ts: now - 1, name: 'call' }]);
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  let connecting = 0;
  const slow = new Proxy(database.db.pool, {
    get: (target, name) =>
      name === 'connect'
        ? async () => {
            connecting += 1;
            if (connecting <= 2) await held;
            return target.connect();
          }
        : (Reflect.get(target, name) as unknown),
  });
  const busy = openStore({ ...database.db, pool: slow }, { clock });
  const range = { fromMs: now - HOUR, toMs: now, stepMs: MINUTE };
  const asked = Array.from({ length: 20 }, () => busy.queryRange(tenantId, COUNT, range, NEVER));
  await new Promise(setImmediate);
  expect(connecting).toBe(2);
  expect(await countOf(busy, tenantId, now, HOUR)).toBe(1);
  release();
  for (const { series } of await Promise.all(asked)) expect(series[0]!.points.at(-1)!.value).toBe(1);
});
