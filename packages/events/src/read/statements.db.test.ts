import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COUNT, minuteClock, MINUTE, NEVER, openStore } from '../../test/open-store.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

test('a read takes as many statements for 40 tenants of 8 queries over many segments as for one of one', async () => {
  const clock = minuteClock();
  const writer = openStore(database.db, { clock });
  const tenantIds = await Promise.all(Array.from({ length: 40 }, async () => (await makeTenant(database.db)).tenantId));
  for (let minute = 1; minute <= 5; minute += 1) {
    await Promise.all(tenantIds.map((tenantId) => writer.ingest(tenantId, [{ ts: clock.now() - minute * MINUTE, name: 'call' }])));
  }

  let statements = 0;
  const { pool } = database.db;
  const counted = new Proxy(pool, {
    get: (target, name) =>
      name === 'connect'
        ? async () => {
            const client = await target.connect();
            const query = client.query.bind(client);
            const release = client.release.bind(client);
            client.query = ((...args: Parameters<typeof query>) => {
              statements += 1;
              return query(...args);
            }) as typeof client.query;
            client.release = (...args) => {
              client.query = query;
              client.release = release;
              release(...args);
            };
            return client;
          }
        : (Reflect.get(target, name) as unknown),
  });
  const read = async (tenants: readonly string[], queries: number): Promise<number> => {
    const reader = openStore({ ...database.db, pool: counted }, { clock });
    statements = 0;
    const asked = Array.from({ length: queries }, (_, index) => ({
      query: { ...COUNT, windowMs: (index + 6) * MINUTE },
      endMs: clock.now(),
    }));
    const answers = await reader.source.read(
      tenants.map((tenantId) => ({ tenantId, queries: asked })),
      NEVER,
    );
    for (const result of answers.flat()) expect(result).toMatchObject({ series: [{ value: 5 }] });
    return statements;
  };
  const one = await read(tenantIds.slice(0, 1), 1);
  expect(one).toBeGreaterThan(1);
  expect(await read(tenantIds, 8)).toBe(one);
});
