import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../new-id.ts';
import { type SqlTx, withTenant, withTenantsSql } from '../with-tenants.ts';
import { type AlertFilter, alertsQuery } from './alerts.ts';
import { deleteSegments, raiseSegments, type SegmentKey } from './segments.ts';
import { deleteSeriesStates, lockChangedSeries, type SeriesRef } from './series-states.ts';

// Row-level security keeps a condition from the index when a function that is not leak-proof (md5, a cast, to_timestamp) takes a column in it,
// the column of a joined list included. So such a list is made whole first.

const DAY_MS = 86_400_000;

let test: TestDatabase;
let tenantId: string;
let ruleId: string;
let segments: SegmentKey[];

beforeAll(async () => {
  test = await testDatabase();
  ({ tenantId } = await makeTenant(test.db));
  ruleId = newId();
  await asTenant(
    (sql) =>
      sql`insert into rules (tenant_id, id, key, name, spec, created_by, updated_by) values (${tenantId}, ${ruleId}, 'k', 'n', '{}', 'me', 'me')`,
  );
  await asTenant(
    (sql) => sql`
      insert into series_states (tenant_id, rule_id, series_key, labels, state, phase, last_seen_at)
      select ${tenantId}, ${ruleId}, 'series ' || i, '{}', '{}', 'ok', tocsin_now() from generate_series(1, 20000) i`,
  );
  await asTenant(
    (sql) => sql`
      insert into segments (tenant_id, starts_at, id, ends_at, stream, level, event_count, data)
      select ${tenantId}, tocsin_now() - i * interval '1 minute', gen_random_uuid(), tocsin_now(), 'events', 0, 1, '\\x01' from generate_series(1, 4000) i`,
  );
  segments = await asTenant(
    (sql) => sql<SegmentKey[]>`
      select tenant_id as "tenantId", starts_at as "startsAtMs", id from segments where tenant_id = ${tenantId} order by starts_at desc limit 3`,
  );
  const admin = postgres(test.adminUrl, { max: 1 });
  await admin`analyze tocsin.series_states, tocsin.segments`;
  await admin.end();
}, 120_000);

afterAll(() => test.drop());

const asTenant = <T>(work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(test.db, [tenantId], work);

/** How often the work read the whole table. */
async function wholeReads(table: string, work: (sql: SqlTx) => Promise<unknown>): Promise<number> {
  return asTenant(async (sql) => {
    const count = async (): Promise<number> => {
      const [row] = await sql<{ reads: number }[]>`
        select sum(seq_scan)::int as reads from pg_stat_xact_all_tables where schemaname = 'tocsin' and relname ~ ${`^${table}(_\\d+)?$`}`;
      return row!.reads;
    };
    const before = await count();
    await work(sql);
    return (await count()) - before;
  });
}

/** The days of a table that the work opened. */
async function daysOpened(table: string, work: (sql: SqlTx) => Promise<unknown>): Promise<number> {
  return asTenant(async (sql) => {
    await work(sql);
    const [row] = await sql<{ days: number }[]>`
      select count(distinct relation)::int as days from pg_locks join pg_class on pg_class.oid = relation
      where pid = pg_backend_pid() and relname ~ ${`^${table}_\\d+$`}`;
    return row!.days;
  });
}

describe('series of a rule with 20,000 of them', () => {
  const some = (): SeriesRef[] => [7, 77, 777].map((n) => ({ tenantId, ruleId, seriesKey: `series ${n}`, version: 1 }));

  it('are locked through the index', async () => {
    expect(await wholeReads('series_states', (sql) => lockChangedSeries(sql, some()))).toBe(0);
  });

  it('are forgotten through the index', async () => {
    expect(await wholeReads('series_states', (sql) => deleteSeriesStates(sql, some()))).toBe(0);
  });
});

describe('segments of one day', () => {
  it('are raised without a look at the other days', async () => {
    expect(await daysOpened('segments', (sql) => raiseSegments(sql, segments, 1))).toBe(daysOf(segments));
  });

  it('are deleted without a look at the other days', async () => {
    let deleted = 0;
    expect(await daysOpened('segments', async (sql) => void (deleted = await deleteSegments(sql, segments)))).toBe(daysOf(segments));
    expect(deleted).toBe(segments.length);
  });
});

const daysOf = (keys: readonly SegmentKey[]): number => new Set(keys.map(({ startsAtMs }) => Math.floor(startsAtMs / DAY_MS))).size;

describe('a tenant’s 10,000 alerts, few of them open', () => {
  const filter: AlertFilter = {
    beforeId: null,
    limit: 51,
    statuses: null,
    severities: null,
    typeNames: null,
    category: null,
    ruleId: null,
    ruleKey: null,
    labels: null,
    assignee: null,
    search: null,
    sinceMs: null,
    untilMs: null,
  };
  beforeAll(async () => {
    await asTenant(
      (sql) => sql`
        insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at, resolved_at)
        select ${tenantId}, gen_random_uuid(), case when i % 100 = 0 then ${ruleId}::uuid else gen_random_uuid() end, 'k', 'n', i::text, '{}', 'threshold',
          case when i % 200 = 0 then 'active' else 'resolved' end, 'info', '{}', tocsin_now(), tocsin_now(), case when i % 200 <> 0 then tocsin_now() end
        from generate_series(1, 10000) i`,
    );
    const admin = postgres(test.adminUrl, { max: 1 });
    await admin`analyze tocsin.alerts`;
    await admin.end();
  });

  /** How the list is read, and how many rows it looks at to answer a page. */
  const planOf = (asked: Partial<AlertFilter>): Promise<string> =>
    withTenant(test.db, tenantId, async (tx) => {
      const query = alertsQuery(tx, tenantId, { ...filter, ...asked });
      const rows = await tx.execute<{ 'QUERY PLAN': string }>(sql`explain (costs off) ${query.getSQL()}`);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });

  it.each<[string, Partial<AlertFilter>, string]>([
    ['page', { beforeId: 'ffffffff-ffff-7fff-8fff-ffffffffffff' }, 'alerts_pkey'],
    ['page of what is open', { statuses: ['triggered', 'active', 'acknowledged'] }, 'alerts_open'],
    ['page of what is silenced', { statuses: ['silenced'] }, 'alerts_open'],
    ['page with its archive', { sinceMs: 1 }, 'archived_alerts'],
  ])('are read a %s at a time, in the order of an index', async (_what, asked, index) => {
    const plan = await planOf(asked);
    expect(plan).toContain(index);
    expect(plan).not.toMatch(/Seq Scan on (alerts|archived_alerts)/);
  });

  it('of one rule are found through the rule', async () => {
    expect(await planOf({ ruleId })).toMatch(/alerts_(of_rule|one_open|pkey)/);
  });
});
