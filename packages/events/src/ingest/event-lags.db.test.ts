import { addEventLags, readEventLags, withTenantsSql } from '@tocsin/db';
import { LAG_BUCKETS, lagBucket, lagWithin } from '@tocsin/domain';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HOUR, minuteClock, MINUTE, openStore } from '../../test/open-store.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());
afterEach(() => void (database.db.clock.shiftMs = 0));

const eventsOf = (name: string, nowMs: number, lags: readonly number[]) => lags.map((lag) => ({ ts: nowMs - lag, name }));
const lagsOf = (tenantId: string) =>
  withTenantsSql(database.db, [tenantId], async (sql) => (await readEventLags(sql, [tenantId])).get(tenantId)!);
const sum = (counts: readonly number[] = []): number => counts.reduce((total, count) => total + count, 0);
const add = (tenantId: string, name: string, lagMs: number, events: number) =>
  withTenantsSql(database.db, [tenantId], (sql) =>
    addEventLags(sql, [
      { tenantId, name, counts: Array.from({ length: LAG_BUCKETS }, (_, bucket) => (bucket === lagBucket(lagMs) ? events : 0)) },
    ]),
  );

test('how late events come is known of each name with the first request, and of its tenant alone', async () => {
  const [{ tenantId }, { tenantId: other }] = [await makeTenant(database.db), await makeTenant(database.db)];
  const clock = minuteClock();
  const store = openStore(database.db, { clock });
  const late = Array.from({ length: 100 }, (_, index) => (index < 98 ? 400 : 20_000));
  await store.ingest(tenantId, [...eventsOf('late', clock.now(), late), ...eventsOf('quick', clock.now(), [0, 0, -500]), { name: 'now' }]);
  const lags = await lagsOf(tenantId);
  expect([...lags.keys()].toSorted()).toEqual(['late', 'now', 'quick']);
  expect([lagWithin(0.5, lags.get('late')!), lagWithin(0.99, lags.get('late')!)]).toEqual([414, 22_959]);
  expect(lagWithin(0.99, lags.get('quick')!)).toBe(1);
  expect((await lagsOf(other)).size).toBe(0);
  expect((await store.metricsSeen(tenantId)).map(({ name, lag }) => [name, lag === null ? null : sum(lag)])).toEqual([
    ['late', 100],
    ['now', 1],
    ['quick', 3],
  ]);
});

test('it is written once a minute at most, more rarely while nothing changes, and nothing measured meanwhile is lost', async () => {
  const { tenantId } = await makeTenant(database.db);
  const clock = minuteClock();
  const store = openStore(database.db, { clock });
  const send = async (lag: number): Promise<number> => {
    await store.ingest(tenantId, eventsOf('call', clock.now(), Array<number>(10).fill(lag)));
    return Math.round(sum((await lagsOf(tenantId)).get('call')));
  };
  expect(await send(100)).toBe(10);
  expect(await send(50_000)).toBe(10);
  clock.tick(MINUTE);
  expect(await send(50_000)).toBe(30);
  clock.tick(2 * MINUTE);
  expect(await send(50_000), 'as late as before').toBe(30);
  clock.tick(13 * MINUTE);
  expect(await send(50_000)).toBe(50);
});

test('what several processes measured is one, and what is a day old counts for an eighth', async () => {
  const { tenantId } = await makeTenant(database.db);
  const clock = minuteClock();
  for (let process = 0; process < 3; process += 1)
    await openStore(database.db, { clock }).ingest(tenantId, eventsOf('call', clock.now(), Array<number>(40).fill(60_000)));
  expect(sum((await lagsOf(tenantId)).get('call'))).toBeCloseTo(120, 0);
  database.db.clock.shiftMs = 24 * HOUR;
  await add(tenantId, 'call', 10, 100);
  const counts = (await lagsOf(tenantId)).get('call')!;
  expect(counts[lagBucket(60_000)]).toBeCloseTo(15, 0);
  expect(lagWithin(0.5, counts)).toBeLessThan(20);
  database.db.clock.shiftMs = 3_000 * 24 * HOUR;
  await add(tenantId, 'call', 10, 100);
  expect(sum((await lagsOf(tenantId)).get('call'))).toBe(100);
});

test('a name that is not in the catalogue, or that another flush has in hand, is left out and waits for nobody', async () => {
  const { tenantId } = await makeTenant(database.db);
  await openStore(database.db).ingest(tenantId, [{ name: 'call' }, { name: 'other' }]);
  expect(await add(tenantId, 'never seen', 1, 1)).toEqual([]);
  await withTenantsSql(database.db, [tenantId], async (sql) => {
    await sql`select from event_names where name = 'call' for update`;
    expect(await add(tenantId, 'call', 1, 1)).toEqual([]);
    expect(await add(tenantId, 'other', 1, 1)).toEqual([{ tenantId, name: 'other' }]);
  });
});
