import { insertSegments, newId, withTenantsCopy, withTenantsSql } from '@tocsin/db';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countOf, DAY, HOUR, minuteClock, MINUTE, NEVER, openStore } from '../test/open-store.ts';
import { encodeSegment } from './codec/codec.ts';
import type { EventStore } from './event-store.ts';

let database: TestDatabase;
let admin: postgres.Sql;
beforeAll(async () => {
  database = await testDatabase();
  admin = postgres(database.adminUrl, { max: 2, onnotice: () => {} });
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

const clock = minuteClock();
const now = clock.now();
const QUIET = now - 10 * MINUTE;

const levelsOf = async (tenantId: string): Promise<number[]> =>
  (await admin<{ level: number }[]>`select level from tocsin.segments where tenant_id = ${tenantId} order by level, starts_at`).map(
    ({ level }) => level,
  );

/** Several segments of the quiet minute; 100 events each. */
async function fill(store: EventStore, tenantId: string, segments: number, startMs = QUIET): Promise<void> {
  for (let i = 0; i < segments; i++) {
    await store.ingest(
      tenantId,
      Array.from({ length: 100 }, (_, k) => ({ ts: startMs + k * 7, name: 'call', dims: { part: i }, measures: { k: k / 10 } })),
    );
  }
}

test('a quiet minute becomes one segment and a day-old hour becomes one, with every event in it', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  const hour = Math.floor((now - DAY - HOUR) / HOUR) * HOUR;
  await fill(store, tenantId, 3);
  await fill(store, tenantId, 2, hour);
  await fill(store, tenantId, 2, hour + 30 * MINUTE);
  await fill(store, tenantId, 1, now - MINUTE);
  const before = await store.recent(tenantId, { fromMs: 0, toMs: now, limit: 10_000 });
  expect(await store.compact([tenantId], NEVER)).toEqual({ merged: 7, written: 2 });
  expect(await levelsOf(tenantId)).toEqual([0, 1, 2]);
  const after = await openStore(database.db, { clock }).recent(tenantId, { fromMs: 0, toMs: now, limit: 10_000 });
  const sorted = (events: typeof before) => events.map((event) => JSON.stringify(event)).sort();
  expect(sorted(after)).toEqual(sorted(before));
  expect(await store.compact([tenantId], NEVER)).toEqual({ merged: 0, written: 0 });
});

test('late events of a compacted hour join it', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  const hour = Math.floor((now - DAY - HOUR) / HOUR) * HOUR;
  await fill(store, tenantId, 2, hour);
  await store.compact([tenantId], NEVER);
  await fill(store, tenantId, 1, hour + MINUTE);
  await store.compact([tenantId], NEVER);
  expect(await levelsOf(tenantId)).toEqual([2]);
  expect(await countOf(store, tenantId, hour + HOUR, HOUR)).toBe(300);
});

test('compactors at once, with readers and late events beside them, lose and double nothing', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await fill(store, tenantId, 20);
  const compactors = [1, 2, 3].map(() => openStore(database.db, { clock }));
  const counts: number[] = [];
  let isCompacting = true;
  const reading = (async () => {
    while (isCompacting) counts.push(await countOf(openStore(database.db, { clock }), tenantId, now, HOUR));
  })();
  for (let round = 0; round < 3; round++) {
    await Promise.all([...compactors.map((each) => each.compact([tenantId], NEVER)), fill(store, tenantId, 1)]);
  }
  isCompacting = false;
  await reading;
  await store.compact([tenantId], NEVER);
  expect(await countOf(openStore(database.db, { clock }), tenantId, now, HOUR)).toBe(2_300);
  for (const [i, count] of counts.entries()) {
    expect(count % 100).toBe(0);
    expect(count).toBeGreaterThanOrEqual(counts[i - 1] ?? 2_000);
  }
});

test('a reader that began before a compaction reads on what it listed', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await fill(store, tenantId, 5);
  await withTenantsCopy(database.db, [tenantId], async (client) => {
    const events = async () =>
      Number(
        (await client.query<{ sum: number }>('select sum(event_count) as sum from segments where tenant_id = $1', [tenantId])).rows[0]!.sum,
      );
    expect(await events()).toBe(500);
    expect(await openStore(database.db, { clock }).compact([tenantId], NEVER)).toMatchObject({ merged: 5 });
    expect(await events()).toBe(500);
  });
  expect(await countOf(store, tenantId, now, HOUR)).toBe(500);
});

test('a commit that lands after others of larger ids and times is found by the next read', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  const early = newId();
  let commit = (): void => {};
  const mayCommit = new Promise<void>((resolve) => (commit = resolve));
  let isInserted = (): void => {};
  const inserted = new Promise<void>((resolve) => (isInserted = resolve));
  const late = withTenantsSql(database.db, [tenantId], async (sql) => {
    const data = encodeSegment([{ tsMs: now - 4 * MINUTE, name: 'call', dims: {}, measures: {} }], { compact: false });
    await insertSegments(sql, [
      {
        tenantId,
        id: early,
        stream: 'events',
        level: 0,
        startsAtMs: now - 4 * MINUTE,
        endsAtMs: now - 4 * MINUTE + 1,
        eventCount: 1,
        data,
      },
    ]);
    isInserted();
    await mayCommit;
  });
  await inserted;
  await store.ingest(tenantId, [{ ts: now - 1, name: 'call' }]);
  expect(await countOf(store, tenantId, now, HOUR)).toBe(1);
  commit();
  await late;
  expect(await countOf(store, tenantId, now, HOUR)).toBe(2);
});

test('days are made and dropped beside ingest and reads: nobody waits, and only the dropped day is gone', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  const oldest = now - 29 * DAY;
  await fill(store, tenantId, 1, oldest);
  await fill(store, tenantId, 1);
  const [made] = await admin`select tocsin.ensure_partitions(now() + interval '8 days', now() + interval '9 days', 'segments') as days`;
  expect(made).toEqual({ days: 2 });
  const drop = () => admin`select tocsin.drop_oldest_partition('segments', now() - interval '28 days') as dropped`;
  await withTenantsCopy(database.db, [tenantId], async (client) => {
    await client.query('select count(*) from segments');
    await expect(drop()).rejects.toMatchObject({ code: '55P03' });
    await fill(store, tenantId, 1);
    expect(await countOf(store, tenantId, now, 30 * DAY)).toBe(300);
  });
  let dropped: unknown;
  do dropped = (await drop())[0]!.dropped;
  while (dropped !== null);
  expect(await countOf(openStore(database.db, { clock }), tenantId, now, 30 * DAY)).toBe(200);
});

test('compaction of one tenant leaves another one alone', async () => {
  const { tenantId } = await makeTenant(database.db);
  const other = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await fill(store, tenantId, 2);
  await fill(store, other.tenantId, 2);
  await store.compact([tenantId], NEVER);
  expect(await levelsOf(tenantId)).toEqual([1]);
  expect(await levelsOf(other.tenantId)).toEqual([0, 0]);
});
