import { testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDatabase } from './check-database.ts';
import { openDatabase } from './open-database.ts';

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

async function problemsOf(url: string): Promise<readonly string[]> {
  const db = openDatabase({ url, applicationName: 'check' });
  try {
    await checkDatabase(db);
    return [];
  } catch (error) {
    return (error as { problems: string[] }).problems;
  } finally {
    await db.close();
  }
}

describe('the check before work', () => {
  it('finds nothing wrong with a migrated database and the role of the processes', async () => {
    expect(await problemsOf(test.appUrl)).toEqual([]);
  });

  it('refuses a superuser, and names each reason', async () => {
    const problems = await problemsOf(test.adminUrl);
    expect(problems.join('\n')).toMatch(/is a superuser/);
    expect(problems.join('\n')).toMatch(/has BYPASSRLS/);
    expect(problems.join('\n')).toMatch(/is not tocsin_app/);
  });

  it('refuses a role that can become the owner, or anybody whom row-level security does not bind', async () => {
    const name = `insider_${new URL(test.appUrl).pathname.slice(-12)}`;
    await admin.unsafe(`create role ${name}_seer nologin bypassrls`);
    await admin.unsafe(`create role ${name} login password 'p' in role tocsin_owner, tocsin_app, ${name}_seer`);
    try {
      const url = new URL(test.appUrl);
      url.username = name;
      url.password = 'p';
      const problems = (await problemsOf(url.href)).join('\n');
      expect(problems).toMatch(/can become tocsin_owner/);
      expect(problems).toMatch(/can become insider_\w+_seer/);
    } finally {
      await admin.unsafe(`drop role ${name}, ${name}_seer`);
    }
  });

  it('refuses a schema older than the code, and says how to mend it', async () => {
    const removed =
      await admin`delete from tocsin.migrations where created_at = (select max(created_at) from tocsin.migrations) returning hash, created_at`;
    try {
      expect(await problemsOf(test.appUrl)).toEqual([
        expect.stringMatching(/^migrations are missing \(\d{4}_\w+\): run `npm run migrate`$/),
      ]);
    } finally {
      await admin`insert into tocsin.migrations ${admin(removed[0]!)}`;
    }
  });

  it('accepts a schema newer than the code', async () => {
    await admin`insert into tocsin.migrations (hash, created_at) values ('later', 9999999999999)`;
    expect(await problemsOf(test.appUrl)).toEqual([]);
    await admin`delete from tocsin.migrations where hash = 'later'`;
  });

  it('leaves tables of a newer schema to newer code, and judges all the others as ever', async () => {
    await admin.unsafe(`create table tocsin.later (tenant_id uuid, id uuid, primary key (tenant_id, id)); call tocsin.protect('tocsin.later');
      create policy across_tenants on tocsin.later to tocsin_pipeline using (true)`);
    const swept = 'tocsin.later: policy across_tenants lets rows past tenant_only';
    expect(await problemsOf(test.appUrl)).toEqual([swept]);
    await admin`insert into tocsin.migrations (hash, created_at) values ('later', 9999999999999)`;
    expect(await problemsOf(test.appUrl)).toEqual([]);

    const [day] = await admin<{ name: string }[]>`select min(relname) as name from pg_class where relname ~ '^segments_[0-9]{8}$'`;
    await admin.unsafe(`alter table tocsin.rules no force row level security; alter table tocsin.${day!.name} no force row level security`);
    expect(await problemsOf(test.appUrl)).toEqual([
      'tocsin.rules does not force row-level security on everyone',
      `tocsin.${day!.name} does not force row-level security on everyone`,
    ]);
    await admin.unsafe(`alter table tocsin.rules force row level security; alter table tocsin.${day!.name} force row level security;
      drop table tocsin.later; delete from tocsin.migrations where hash = 'later'`);
  });

  it('refuses a database without our schema', async () => {
    await admin`drop schema tocsin cascade`;
    expect(await problemsOf(test.appUrl)).toEqual(['the schema is missing: run `npm run migrate`']);
  });
});
