import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqlState } from '../sql-state.ts';
import { withTenantsCopy } from '../with-tenants.ts';
import { copyRows } from './copy-rows.ts';

let database: TestDatabase;
let tenantId: string;

beforeAll(async () => {
  database = await testDatabase();
  tenantId = (await makeTenant(database.db)).tenantId;
});

afterAll(() => database.drop());

async function copied(select: string): Promise<string[][]> {
  const rows: string[][] = [];
  await withTenantsCopy(database.db, [tenantId], (client) =>
    copyRows(client, select, (bytes, ends) => {
      rows.push(ends.map((end, field) => bytes.toString('utf8', field === 0 ? end - 7 : ends[field - 1]! + 4, end)));
    }),
  );
  return rows;
}

test('every row comes once and in order, however far it reaches over what the socket hands on', async () => {
  const rows = await copied(`select to_char(n, 'FM0000000'), repeat(chr(97 + n % 26), n * 7919 % 200000) from generate_series(1, 500) n`);
  expect(rows).toHaveLength(500);
  for (const [index, [number, text]] of rows.entries()) {
    const n = index + 1;
    expect(number).toBe(String(n).padStart(7, '0'));
    expect(text === String.fromCharCode(97 + (n % 26)).repeat((n * 7919) % 200_000)).toBe(true);
  }
});

test('no row is an empty copy', async () => {
  expect(await copied('select tenant_id from inbox')).toEqual([]);
});

test('a select that fails, at once or after many rows, is refused with its code, and the next one answers', async () => {
  await expect(copied('select nothing')).rejects.toSatisfy((error) => sqlState(error) === '42703');
  await expect(copied('select 10 / (5000 - n) from generate_series(1, 5000) n')).rejects.toSatisfy((error) => sqlState(error) === '22012');
  expect(await copied(`select 'correct'`)).toEqual([['correct']]);
});

test('a null is refused, not misread', async () => {
  await expect(copied('select null::text')).rejects.toThrow('cannot read null');
});

test('a server process that ends while rows come refuses the rest', async () => {
  const broken = withTenantsCopy(database.db, [tenantId], async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const [ended] = await Promise.allSettled([
      copyRows(client, `select repeat('x', 1000) from generate_series(1, 100000000)`, () => {}),
      endBackend(rows[0]!.pid),
    ]);
    if (ended.status === 'rejected') throw ended.reason;
  });
  await expect(broken).rejects.toThrow();
  expect(await copied(`select 'correct'`)).toEqual([['correct']]);
});

async function endBackend(pid: number): Promise<void> {
  const admin = postgres(database.adminUrl, { max: 1 });
  await admin`select pg_terminate_backend(${pid})`;
  await admin.end();
}
