import { type Database, openDatabase } from '@tocsin/db';
import { openEventStore, type EventStore } from '@tocsin/events';
import { tcpProxy, type TcpProxy, testDatabase, type TestDatabase, makeTenant } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Ask, type Answer, expectProblem, openWorld, type World } from './open-world.ts';

let database: TestDatabase;
let line: TcpProxy;
let db: Database;
let events: EventStore;
let world: World;
let ask: Ask;

beforeAll(async () => {
  database = await testDatabase();
  line = await tcpProxy(database.appUrl);
  db = openDatabase({ url: line.through(database.appUrl), applicationName: 'outage', maxConnections: 10 });
  const known = await openWorld();
  const { logger, metrics, clock } = known.services;
  events = openEventStore({ db, logger, metrics, clock, bounds: { bufferedEvents: 2_000, flushDeadlineMs: 1_000 } });
  await known.close();
  world = await openWorld({ db, events });
  ask = world.askWith(await (await makeTenant(database.db)).apiKey('admin'));
});
afterAll(async () => {
  await events.close();
  await world.close();
  await db.close();
  await line.close();
  await database.drop();
});

const send = (count: number): Promise<Answer> =>
  ask('POST', '/api/v1/events', { events: Array.from({ length: count }, () => ({ name: 'call', measures: { v: 1 } })) });

const stored = async (): Promise<number> => {
  const { body } = await ask('POST', '/api/v1/metrics/query', {
    aggregation: 'count',
    window: '1h',
    from: Date.now() - 60_000,
    to: Date.now() + 60_000,
    step: '2m',
  });
  return body.series[0].points.at(-1).value;
};

test.each([
  ['that refuses connections', () => line.block()],
  ['that says nothing', () => line.freeze()],
] as const)('beside a PostgreSQL %s, events are a 503 with Retry-After, soon, and what was acknowledged is there', async (_how, fail) => {
  expect((await send(1)).status).toBe(202);
  const before = await stored();
  fail();
  const startedMs = performance.now();
  const answers = await Promise.all(Array.from({ length: 60 }, () => send(100)));
  expect(performance.now() - startedMs).toBeLessThan(60_000);
  for (const answer of answers) {
    expectProblem(answer, 'unavailable', 503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  }
  line.restore();
  await vi.waitFor(async () => expect((await send(1)).status).toBe(202), { timeout: 45_000, interval: 100 });
  // What was refused may have arrived all the same; what was acknowledged has.
  expect(await stored()).toBeGreaterThan(before);
});

test('a PostgreSQL that does not answer in time is a 503 with Retry-After, to who reads and to who writes', async () => {
  const hurried = openDatabase({ url: database.appUrl, applicationName: 'hurried', maxConnections: 10, statementTimeoutMs: 300 });
  const { logger, metrics, clock } = world.services;
  const hurriedWorld = await openWorld({ db: hurried, events: openEventStore({ db: hurried, logger, metrics, clock }) });
  const askHurried = hurriedWorld.askWith(await (await makeTenant(database.db)).apiKey('admin'));
  try {
    await database.db.sql.begin(async (sql) => {
      await sql`lock table tocsin.rules, tocsin.segments in access exclusive mode`;
      for (const answer of [
        await askHurried('GET', '/api/v1/rules'),
        await askHurried('POST', '/api/v1/events', { events: [{ name: 'call' }] }),
      ]) {
        expectProblem(answer, 'unavailable', 503);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      }
    });
    expect((await askHurried('GET', '/api/v1/rules')).status).toBe(200);
  } finally {
    await hurriedWorld.services.events.close();
    await hurriedWorld.close();
    await hurried.close();
  }
});
