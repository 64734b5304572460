import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { withTenantsSql } from '@tocsin/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOUR, minuteClock, MINUTE, openStore } from '../../test/open-store.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

const clock = minuteClock();
const now = clock.now();
const thisHour = Math.floor(now / HOUR) * HOUR;

const versionsOf = (tenantId: string) =>
  withTenantsSql(
    database.db,
    [tenantId],
    (sql) => sql<{ hoursAgo: number; version: number }[]>`
      select (${thisHour}::float8 - extract(epoch from hour_at)::float8 * 1000) / ${HOUR}::float8 as "hoursAgo", version from hour_versions order by hour_at`,
  );

test('events of an hour that is over raise its version, once a flush; those of the running hour and of the next minutes do not', async () => {
  const [{ tenantId }, other] = await Promise.all([makeTenant(database.db), makeTenant(database.db)]);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [
    { ts: thisHour, name: 'call' },
    { ts: now + MINUTE, name: 'call' },
  ]);
  expect(await versionsOf(tenantId)).toEqual([]);
  await store.ingest(
    tenantId,
    [1, 2, 61].map((minutes) => ({ ts: thisHour - minutes * MINUTE, name: 'call' })),
  );
  await store.ingest(tenantId, [{ ts: thisHour - 1, name: 'call' }]);
  expect(await versionsOf(tenantId)).toEqual([
    { hoursAgo: 2, version: 1 },
    { hoursAgo: 1, version: 2 },
  ]);
  expect(await versionsOf(other.tenantId)).toEqual([]);
});

test('flushes of many stores into the same hours at once are all counted, and none waits for another for ever', async () => {
  const tenants = await Promise.all([1, 2, 3].map(() => makeTenant(database.db)));
  const stores = [1, 2, 3, 4].map(() => openStore(database.db, { clock }));
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      stores.flatMap((store) =>
        tenants.map(({ tenantId }) =>
          store.ingest(
            tenantId,
            [3, 1, 2].map((hours) => ({ ts: thisHour - hours * HOUR, name: 'call' })),
          ),
        ),
      ),
    );
  }
  for (const { tenantId } of tenants) expect((await versionsOf(tenantId)).map(({ version }) => version)).toEqual([20, 20, 20]);
});
