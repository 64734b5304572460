import { tcpProxy, type TcpProxy, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Database, openDatabase } from './open-database.ts';
import { isRetryable } from './sql-state.ts';
import { withPipeline, withTenantsCopy, withTenants } from './with-tenants.ts';

const STATEMENT_TIMEOUT_MS = 500;
/** Far below the time TCP takes to notice. */
const NOTICED_MS = 10_000;

let test: TestDatabase;
let line: TcpProxy;
let db: Database;

beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());
beforeEach(async () => {
  line = await tcpProxy(test.appUrl);
  db = openDatabase({
    url: line.through(test.appUrl),
    applicationName: 'stranded',
    maxConnections: 3,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
});
afterEach(async () => {
  await db.close();
  await line.close();
});

it.each<[string, (use: Database) => Promise<unknown>]>([
  ['raw SQL', (use) => withPipeline(use, (sql) => sql`select 1`)],
  ['tables', (use) => withTenants(use, [], (tx) => tx.execute('select 1'))],
  ['COPY', (use) => withTenantsCopy(use, [], (client) => client.query('select 1'))],
])(
  'a line that died without a word is given up and replaced: %s',
  async (_door, use) => {
    await use(db);
    line.strand();
    const error: unknown = await use(db).then(
      () => null,
      (failure: unknown) => failure,
    );
    expect(isRetryable(error)).toBe(true);
    await use(db);
  },
  NOTICED_MS,
);
