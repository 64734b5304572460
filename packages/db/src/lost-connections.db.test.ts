import { makeTenant, tcpProxy, testDatabase, type TcpProxy, type TestDatabase } from '@tocsin/testkit';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase, withTenant, withTenantsSql, type Database } from './index.ts';

let database: TestDatabase;
let line: TcpProxy;
let db: Database;
let tenantId: string;

beforeAll(async () => {
  database = await testDatabase();
  line = await tcpProxy(database.appUrl);
  // One connection a client, so that whatever a lost one leaves behind meets what comes next.
  db = openDatabase({ url: line.through(database.appUrl), applicationName: 'lost', maxConnections: 3 });
  ({ tenantId } = await makeTenant(database.db));
});
afterAll(async () => {
  await db.close();
  await line.close();
  await database.drop();
});

const TEXTS = ['small', 'x'.repeat(3_000)];

it('connections cut at any moment, and a server that is away for a while, fail what was under way and nothing after it', async () => {
  let isOver = false;
  let longestMs = 0;
  const working = TEXTS.flatMap((text) => [
    () => withTenantsSql(db, [tenantId], async (sql) => void (await sql`select ${text}::text`)),
    () => withTenant(db, tenantId, async (tx) => void (await tx.execute('select 1'))),
  ]).map(async (work) => {
    while (!isOver) {
      const startedMs = performance.now();
      await work().catch(() => sleep(1));
      longestMs = Math.max(longestMs, performance.now() - startedMs);
    }
  });
  for (let cuts = 0; cuts < 60; cuts += 1) {
    await sleep(cuts % 11);
    if (cuts % 3 === 0) line.block();
    else line.cut();
    await sleep(cuts % 7);
    line.restore();
  }
  isOver = true;
  await Promise.all(working);
  expect(longestMs).toBeLessThan(20_000);
  expect(await withTenantsSql(db, [tenantId], async (sql) => (await sql`select 1 as one`)[0])).toEqual({ one: 1 });
}, 120_000);

it('what is left of a transaction whose connection was lost is refused, and never part of the next one', async () => {
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>();
  const late: Promise<unknown>[] = [];
  const lost = withTenantsSql(db, [tenantId], async (sql) => {
    await sql`select 1`;
    hasBegun();
    await mayGoOn;
    late.push(sql`select set_config('app.tenant_ids', '', true)`.execute());
    await Promise.allSettled(late);
  });
  await begun;
  line.cut();
  await expect(lost).rejects.toThrow();
  const seenByNext = await withTenantsSql(db, [tenantId], async (sql) => {
    goOn();
    await sleep(50);
    return sql`select from tenants`;
  });
  expect(seenByNext).toHaveLength(1);
  expect(late).toHaveLength(1);
  await expect(late[0]).rejects.toThrow();
});

it('closing does not wait for connections that were lost', async () => {
  const other = openDatabase({ url: line.through(database.appUrl), applicationName: 'lost', maxConnections: 3 });
  const slow = Promise.allSettled([withTenantsSql(other, [tenantId], (sql) => sql`select pg_sleep(60)`)]);
  await sleep(100);
  const closed = other.close();
  line.cut();
  expect(await slow).toMatchObject([{ status: 'rejected' }]);
  const startedMs = performance.now();
  await closed;
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
