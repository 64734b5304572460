import { testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenancyBreaches } from './tenancy-breaches.ts';

let test: TestDatabase;
let admin: postgres.Sql;

beforeAll(async () => {
  test = await testDatabase();
  admin = postgres(test.adminUrl, { max: 1, onnotice: () => {} });
});

afterAll(async () => {
  await admin.end();
  await test.drop();
});

describe('the catalogue', () => {
  it('has no table, partition, policy, key, view or function that leaks between tenants', async () => {
    expect(await tenancyBreaches(test.db.sql)).toEqual([]);
  });

  it('forces row-level security on every day of every partitioned table', async () => {
    const days = await admin`
      select parent.relname as table, count(*)::int as days, bool_and(c.relrowsecurity and c.relforcerowsecurity) as forced
      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class parent on parent.oid = i.inhparent
      where parent.relnamespace = 'tocsin'::regnamespace and parent.relkind = 'p' group by 1 order by 1`;
    expect(days.map((row) => row.table)).toEqual(['alert_events', 'audit_events', 'delivery_attempts', 'runs', 'segments']);
    for (const row of days) expect(row).toMatchObject({ forced: true });
  });

  it('gives the queue its own schema and nothing of ours', async () => {
    const queue = postgres(test.queueUrl, { max: 1 });
    try {
      await expect(queue`select * from tocsin.tenants`).rejects.toMatchObject({ code: '42501' });
      await queue`create table bullmq.own (id int)`;
    } finally {
      await queue.end();
    }
  });

  it('lets the processes add to the audit log and never change it', async () => {
    const granted = await admin`
      select table_name as table, string_agg(privilege_type, ' ' order by privilege_type) as may from information_schema.role_table_grants
      where grantee = 'tocsin_app' and table_name in ('audit_events', 'alert_events', 'rule_versions') group by 1 order by 1`;
    expect(granted).toEqual([
      { table: 'alert_events', may: 'INSERT SELECT' },
      { table: 'audit_events', may: 'INSERT SELECT' },
      { table: 'rule_versions', may: 'INSERT SELECT' },
    ]);
  });
});

const OWN_POLICY = `
  alter table tocsin.t enable row level security; alter table tocsin.t force row level security;
  create policy tenant_only on tocsin.t to tocsin_app
    using (tenant_id = any((select string_to_array(nullif(current_setting('app.tenant_ids', true), ''), ',')::uuid[])::uuid[]))
    with check (tenant_id = any((select string_to_array(nullif(current_setting('app.tenant_ids', true), ''), ',')::uuid[])::uuid[]));`;
const OWN_TABLE = `create table tocsin.t (tenant_id uuid, id uuid, name text, primary key (tenant_id, id)); ${OWN_POLICY}`;

describe('a breach is found', () => {
  it.each<[string, string, RegExp]>([
    ['a table without tenants', 'create table tocsin.t (id uuid primary key)', /tocsin\.t has no column tenant_id/],
    ['a table without a policy', 'create table tocsin.t (tenant_id uuid primary key)', /tocsin\.t has no policy tenant_only/],
    ['a table that does not force its policy', `${OWN_TABLE} alter table tocsin.t no force row level security`, /tocsin\.t does not force/],
    [
      'a policy that lets all rows be written',
      `${OWN_TABLE} alter policy tenant_only on tocsin.t with check (true)`,
      /does not compare tenant_id/,
    ],
    [
      'a policy that lets all rows be seen',
      `${OWN_TABLE} alter policy tenant_only on tocsin.t using (true) with check (true)`,
      /does not compare tenant_id/,
    ],
    [
      'a second policy beside the first',
      `${OWN_TABLE} create policy more on tocsin.t to tocsin_app using (true)`,
      /policy more lets rows past/,
    ],
    [
      'the pipeline on a table that is not its',
      `${OWN_TABLE} create policy more on tocsin.t to tocsin_pipeline using (true)`,
      /policy more lets rows past/,
    ],
    [
      'a key that does not start with the tenant',
      `create table tocsin.t (id uuid, tenant_id uuid, primary key (id, tenant_id)); ${OWN_POLICY}`,
      /no primary key that starts/,
    ],
    [
      'a name unique over all tenants',
      `${OWN_TABLE} create unique index on tocsin.t (name)`,
      /unique index tocsin\.t_name_idx does not start/,
    ],
    [
      'a reference to whoever has that id',
      `${OWN_TABLE} create unique index one on tocsin.t (tenant_id, id); alter table tocsin.t add foreign key (id) references tocsin.tenants`,
      /foreign key t_id_fkey does not carry/,
    ],
    ['a view with its owner’s eyes', `${OWN_TABLE} create view tocsin.v as select * from tocsin.t`, /tocsin\.v is a view without/],
    [
      'rows kept outside all policies',
      `${OWN_TABLE} create materialized view tocsin.m as select * from tocsin.t`,
      /tocsin\.m is a materialized view/,
    ],
    [
      'rows kept on another server',
      'create foreign data wrapper w; create server s foreign data wrapper w; create foreign table tocsin.t (tenant_id uuid) server s',
      /tocsin\.t is a foreign table/,
    ],
    ['a table of the processes’ own', `${OWN_TABLE} alter table tocsin.t owner to tocsin_app`, /tocsin\.t belongs to the role/],
    ['a table open to everyone', `${OWN_TABLE} grant select on tocsin.t to public`, /tocsin\.t is open to everyone \(SELECT\)/],
    ['a column open to everyone', `${OWN_TABLE} grant select (name) on tocsin.t to public`, /tocsin\.t\.name is open to everyone/],
    [
      'a day reached past its table',
      `do $$ begin execute format('grant select on tocsin.%I to tocsin_app', to_char(now() at time zone 'UTC', '"segments_"YYYYMMDD')); end $$`,
      /is a partition that tocsin_app reaches/,
    ],
    [
      'a day that is not protected',
      `do $$ begin execute format('alter table tocsin.%I disable row level security', to_char(now() at time zone 'UTC', '"runs_"YYYYMMDD')); end $$`,
      /runs_\d+ does not force/,
    ],
    [
      'a function anybody may call',
      'grant execute on function tocsin.next_due_at() to public',
      /next_due_at\(\) may be called by everyone/,
    ],
    [
      'a powerful function whose names can be replaced',
      'alter function tocsin.next_due_at() reset search_path',
      /next_due_at\(\) runs as tocsin_pipeline without a pinned/,
    ],
    [
      'a function of a superuser',
      'create function tocsin.f() returns int language sql security definer set search_path = pg_catalog, pg_temp as $$ select 1 $$; revoke execute on function tocsin.f() from public',
      /f\(\) runs as .*, which is neither/,
    ],
    [
      'a history that can be changed',
      'grant update on tocsin.audit_events to tocsin_app',
      /audit_events: history can be changed \(UPDATE\)/,
    ],
  ])('%s', async (_name, change, breach) => {
    const found: string[] = [];
    await admin
      .begin(async (sql) => {
        await sql.unsafe(change);
        found.push(...(await tenancyBreaches(sql)));
        throw new Undo();
      })
      .catch((error: unknown) => {
        if (!(error instanceof Undo)) throw error;
      });
    expect(found.join('\n')).toMatch(breach);
  });
});

class Undo extends Error {}
