import { openDatabase } from '@tocsin/db';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countOf, HOUR, minuteClock, MINUTE, openStore } from '../test/open-store.ts';
import { IdempotencyConflict, Overloaded } from './errors.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

const clock = minuteClock();
const now = clock.now();
const event = (offsetMs = 1, more: object = {}) => ({ ts: now - offsetMs, name: 'call', ...more });

test('twenty requests of one Idempotency-Key, in two processes at once, are one', async () => {
  const { tenantId } = await makeTenant(database.db);
  const stores = [openStore(database.db, { clock }), openStore(database.db, { clock })];
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => stores[i % 2]!.ingest(tenantId, [event(), event(2), { name: '' }], { idempotencyKey: 'once' })),
  );
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  for (const answer of answers) expect(answer).toMatchObject({ accepted: 2, rejected: [{ index: 2, code: 'bad_name' }] });
  expect(await countOf(stores[0]!, tenantId, now, HOUR)).toBe(2);
});

test('an Idempotency-Key with another body is a conflict, for another tenant it is another key', async () => {
  const { tenantId } = await makeTenant(database.db);
  const other = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [event(1)], { idempotencyKey: 'k' });
  await expect(store.ingest(tenantId, [event(2)], { idempotencyKey: 'k' })).rejects.toThrow(IdempotencyConflict);
  expect(await store.ingest(other.tenantId, [event(2)], { idempotencyKey: 'k' })).toMatchObject({ accepted: 1, replayed: false });
  expect(await countOf(store, tenantId, now, HOUR)).toBe(1);
});

test('a tenant that cannot be stored does not take the others of its flush down', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  const unknown = '019a0000-0000-7000-8000-000000000000';
  const [fine, failed] = await Promise.allSettled([store.ingest(tenantId, [event()]), store.ingest(unknown, [event()])]);
  expect(fine).toMatchObject({ status: 'fulfilled', value: { accepted: 1 } });
  expect(failed.status).toBe('rejected');
  expect(await countOf(store, tenantId, now, HOUR)).toBe(1);
});

test('while Postgres hangs the buffer fills to its bound, callers are told to come back, and what was accepted is stored in the end', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock, bounds: { bufferedEvents: 30, eventsPerFlush: 10 } });
  const admin = postgres(database.adminUrl, { max: 1 });
  const waiting: Promise<unknown>[] = [];
  await admin.begin(async (sql) => {
    await sql`lock table tocsin.segments in exclusive mode`;
    for (let i = 0; i < 3; i++)
      waiting.push(
        store.ingest(
          tenantId,
          Array.from({ length: 10 }, () => event()),
        ),
      );
    await expect(store.ingest(tenantId, [event()])).rejects.toSatisfy(
      (error) => error instanceof Overloaded && error.retryAfterMs >= 1_000,
    );
  });
  await Promise.all(waiting);
  expect(await countOf(store, tenantId, now, HOUR)).toBe(30);
  await admin.end();
});

test('a request that is not durable by its deadline is told to come back, and so is everyone while the flush is stuck', async () => {
  const { tenantId } = await makeTenant(database.db);
  const stuckClock = minuteClock();
  const store = openStore(database.db, { clock: stuckClock, bounds: { flushDeadlineMs: 50 } });
  const admin = postgres(database.adminUrl, { max: 1 });
  await admin.begin(async (sql) => {
    await sql`lock table tocsin.segments in exclusive mode`;
    const first = store.ingest(tenantId, [event()]);
    await new Promise(setImmediate);
    const ofNextFlush = store.ingest(tenantId, [event()]);
    for (const told of await Promise.allSettled([first, ofNextFlush]))
      expect(told).toMatchObject({ status: 'rejected', reason: expect.any(Overloaded) });
    stuckClock.tick(1_000);
    await expect(store.ingest(tenantId, [event()])).rejects.toThrow(Overloaded);
  });
  await store.close();
  await admin.end();
  expect(await countOf(openStore(database.db, { clock }), tenantId, now, HOUR), 'the one that was being written').toBe(1);
});

test('without Postgres nothing is acknowledged', async () => {
  const { tenantId } = await makeTenant(database.db);
  const away = openDatabase({ url: 'postgres://tocsin_app:x@127.0.0.1:1/nowhere', applicationName: 'test' });
  await expect(openStore(away, { clock }).ingest(tenantId, [event()])).rejects.toThrow(Overloaded);
  await away.close();
});

test('the catalogue knows each name with its own fields, and is written only when there is something new', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [
    { name: 'call', dims: { model: 'a' }, measures: { cost: 1 } },
    { name: 'job', measures: { duration_ms: 1 } },
    { name: 'refused', dims: { secret: 'x' }, measures: { cost: 'no' } },
  ]);
  await store.ingest(tenantId, [{ name: 'call', dims: { env: 'prod' } }]);
  const seen = await store.metricsSeen(tenantId);
  expect(seen.map(({ name, dims, measures }) => ({ name, dims, measures }))).toEqual([
    { name: 'call', dims: ['env', 'model'], measures: ['cost'] },
    { name: 'job', dims: [], measures: ['duration_ms'] },
  ]);
  await store.ingest(tenantId, [{ name: 'call', dims: { env: 'dev' }, measures: { cost: 2 } }]);
  expect(await store.metricsSeen(tenantId)).toEqual(seen);
});

test("a tenant's names in the catalogue are bounded, in one request and over several processes", async () => {
  const { tenantId } = await makeTenant(database.db);
  const namesOf = (letter: string) => Array.from({ length: 9 }, (_, i) => ({ name: `${letter}${i}` }));
  for (const letter of ['a', 'b']) {
    await openStore(database.db, { clock, bounds: { namesPerTenant: 12 } }).ingest(tenantId, namesOf(letter));
  }
  const ticking = minuteClock();
  const store = openStore(database.db, { clock: ticking, bounds: { namesPerTenant: 12 } });
  await store.ingest(tenantId, [...namesOf('c'), ...namesOf('d')]);
  expect(await store.metricsSeen(tenantId)).toHaveLength(12);
  ticking.tick(MINUTE);
  await store.ingest(tenantId, [...namesOf('e'), { name: 'a0', dims: { known: 'yes' } }]);
  const seen = await store.metricsSeen(tenantId);
  expect(seen.map(({ name }) => name)).toEqual([...namesOf('a'), ...namesOf('b').slice(0, 3)].map(({ name }) => name));
  expect(seen[0]!.dims, 'a known name goes on learning').toEqual(['known']);
  expect(await countOf(store, tenantId, now + 2 * MINUTE, HOUR), 'the events are there').toBe(46);
});

test('recent events come newest first, by name and time, and only to their tenant', async () => {
  const { tenantId } = await makeTenant(database.db);
  const other = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [event(1), event(20 * HOUR), { ...event(3 * MINUTE), name: 'job', dims: { a: '' } }, event(2)]);
  const page = { fromMs: 0, toMs: now, limit: 3 };
  expect((await store.recent(tenantId, page)).map(({ tsMs, name }) => [now - tsMs, name])).toEqual([
    [1, 'call'],
    [2, 'call'],
    [3 * MINUTE, 'job'],
  ]);
  expect(await store.recent(tenantId, { ...page, name: 'job' })).toEqual([
    { tsMs: now - 3 * MINUTE, name: 'job', dims: { a: '' }, measures: {} },
  ]);
  expect(await store.recent(tenantId, { ...page, toMs: now - HOUR })).toHaveLength(1);
  expect(await store.recent(other.tenantId, page)).toEqual([]);
});

test('a closed store refuses new events', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.close();
  await expect(store.ingest(tenantId, [event()])).rejects.toThrow(Overloaded);
});
