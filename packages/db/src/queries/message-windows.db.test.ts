import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../new-id.ts';
import { type SqlTx, withTenantsSql } from '../with-tenants.ts';
import { countMessages } from './message-windows.ts';

const LENGTH_MS = 30_000;

let test: TestDatabase;
let tenantId: string;

beforeAll(async () => {
  test = await testDatabase();
  ({ tenantId } = await makeTenant(test.db));
}, 120_000);

afterAll(() => test.drop());

const asTenant = <T>(work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(test.db, [tenantId], work);

async function makeChannel(): Promise<string> {
  const id = newId();
  await asTenant(
    (sql) => sql`
      insert into channels (tenant_id, id, key, name, kind, config, created_by, updated_by)
      values (${tenantId}, ${id}, ${id}, 'Hook', 'webhook', '{}', 'me', 'me')`,
  );
  return id;
}

const count = async (sql: SqlTx, channelId: string, messages = 1): Promise<number | undefined> =>
  (await countMessages(sql, [{ tenantId, channelId, scope: 'channel', messages }], LENGTH_MS))[0]?.before;

it('counts on while a window is open, and begins anew when it is over or the clock was set back', async () => {
  const channelId = await makeChannel();
  const counted = async (messages: number) => asTenant((sql) => count(sql, channelId, messages));
  expect([await counted(2), await counted(1), await counted(1)]).toEqual([0, 2, 3]);
  test.db.clock.shiftMs = LENGTH_MS;
  expect([await counted(1), await counted(1)]).toEqual([0, 1]);
  test.db.clock.shiftMs = -LENGTH_MS;
  expect([await counted(1), await counted(1)]).toEqual([0, 1]);
  test.db.clock.shiftMs = 0;
});

it('has one first, though who waited for it began earlier', async () => {
  const channelId = await makeChannel();
  const begun = Promise.withResolvers<void>();
  const isCounted = Promise.withResolvers<void>();
  const early = asTenant(async (sql) => {
    await sql`select tocsin_now()`;
    begun.resolve();
    await isCounted.promise;
    return count(sql, channelId);
  });
  await begun.promise;
  const late = await asTenant((sql) => count(sql, channelId));
  isCounted.resolve();
  expect([late, await early]).toEqual([0, 1]);
});
