import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../new-id.ts';
import { type SqlTx, withTenantsSql } from '../with-tenants.ts';
import { leaseRuns, type LeasedRun } from './lease-runs.ts';
import { countUnfinishedRuns, finishRuns, renewRunLeases, waitingRuns } from './runs.ts';

// A busy day: the tenant has been evaluated every minute, and everybody else's runs wait.
const ENDED = 1_000;
const OTHERS = 500;

let test: TestDatabase;
let tenantId: string;

beforeAll(async () => {
  test = await testDatabase();
  ({ tenantId } = await makeTenant(test.db));
  const others = Array.from({ length: OTHERS }, () => newId());
  await withTenantsSql(test.db, [tenantId], async (sql) => {
    await sql`insert into schedules (tenant_id, phase_ms) values (${tenantId}, 0) on conflict do nothing`;
    await sql`
      insert into runs (tenant_id, slot_at, id, status, finished_at)
      select ${tenantId}, date_trunc('day', tocsin_now()) + i * interval '1 minute', gen_random_uuid(), 'done', tocsin_now()
      from generate_series(1, ${ENDED}::int) i`;
  });
  // What the planner knows was gathered when nothing waited.
  const admin = postgres(test.adminUrl, { max: 1 });
  await admin`analyze tocsin.runs`;
  await admin.end();
  await withTenantsSql(
    test.db,
    [tenantId, ...others],
    (sql) => sql`
      insert into runs (tenant_id, slot_at, id, status)
      select tenant_id, date_trunc('day', tocsin_now()) + interval '20 hours', gen_random_uuid(), 'queued'
      from unnest(${[tenantId, ...others]}::uuid[]) as new (tenant_id)`,
  );
}, 120_000);

afterAll(() => test.drop());

/** How many rows of runs the work looked at. */
async function rowsRead(work: (sql: SqlTx) => Promise<unknown>): Promise<number> {
  return withTenantsSql(test.db, [tenantId], async (sql) => {
    const count = async (): Promise<number> => {
      const [row] = await sql<{ rows: number }[]>`
        select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows
        from pg_stat_xact_all_tables where schemaname = 'tocsin' and relname ~ '^runs_\\d+$'`;
      return row?.rows ?? 0;
    };
    // As on a connection that has done the same a few times.
    await sql`select set_config('plan_cache_mode', 'force_generic_plan', true)`;
    const before = await count();
    await work(sql);
    return (await count()) - before;
  });
}

it('a run is found, leased, renewed and ended without a look at what has ended or at other tenants’ runs', async () => {
  const token = newId();
  let run: LeasedRun | undefined;
  const counted = await rowsRead((sql) => countUnfinishedRuns(sql, [tenantId]));
  const leased = await rowsRead(async (sql) => void ([run] = (await leaseRuns(sql, [{ tenantId, token }], 10_000)).leased));
  expect(run).toMatchObject({ tenantId, token, attempts: 1 });
  const renewed = await rowsRead((sql) => renewRunLeases(sql, [run!], 10_000));
  const ended = await rowsRead(async (sql) => {
    expect(await finishRuns(sql, [{ ...run!, slotEveryMs: 60_000, rules: 1, series: 1, triggers: 0 }])).toHaveLength(1);
  });
  const waiting = await rowsRead((sql) => waitingRuns(sql, [tenantId], run!.slotMs));
  expect(Math.max(counted, leased, renewed, ended, waiting)).toBeLessThan(10);
});
