import { testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDatabase } from './check-database.ts';
import { migrate, type MigrateOptions } from './migrate.ts';
import { newId } from './new-id.ts';
import { openDatabase } from './open-database.ts';

/** Empty databases beside the suite's own, which lends its roles' passwords. */
let test: TestDatabase;
let server: postgres.Sql;
const made: string[] = [];
const roles: string[] = [];

beforeAll(async () => {
  test = await testDatabase();
  server = postgres(test.adminUrl, { max: 1, onnotice: () => {} });
});

afterAll(async () => {
  for (const name of made) await server.unsafe(`drop database if exists ${name} with (force)`);
  for (const name of roles) await server.unsafe(`drop role if exists ${name}`);
  await server.end();
  await test.drop();
});

async function emptyDatabase(owner?: string): Promise<Required<Omit<MigrateOptions, 'log'>>> {
  const name = `tocsin_test_migrate_${newId().slice(-12)}`;
  made.push(name);
  await server.unsafe(`create database ${name} ${owner === undefined ? '' : `owner ${owner}`}`);
  const at = (url: string): string => {
    const moved = new URL(url);
    moved.pathname = `/${name}`;
    return moved.href;
  };
  return { adminUrl: at(test.adminUrl), appUrl: at(test.appUrl), queueUrl: at(test.queueUrl) };
}

async function isFit(appUrl: string): Promise<boolean> {
  const db = openDatabase({ url: appUrl, applicationName: 'migrate-test' });
  try {
    await checkDatabase(db);
    return true;
  } finally {
    await db.close();
  }
}

/** Everything but the days, whose number depends on the date. */
async function shapeOf(adminUrl: string): Promise<unknown> {
  const sql = postgres(adminUrl, { max: 1 });
  try {
    return await sql`
      select c.relname, c.relkind, c.relacl::text, array_agg(a.attname || ' ' || format_type(a.atttypid, null) order by a.attnum)::text as columns
      from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      where c.relnamespace = 'tocsin'::regnamespace and not c.relispartition group by c.oid order by 1`;
  } finally {
    await sql.end();
  }
}

describe('migrate', () => {
  it('makes an empty database fit for work and says what it does', async () => {
    const urls = await emptyDatabase();
    const lines: string[] = [];
    await migrate({ ...urls, log: (line) => lines.push(line) });
    expect(lines.join('\n')).toMatch(/roles are ready\n.*applied \d+ migrations\n.*made \d\d daily partitions/s);
    expect(await isFit(urls.appUrl)).toBe(true);
  });

  it('changes nothing when run again', async () => {
    const urls = await emptyDatabase();
    await migrate({ ...urls, log: () => {} });
    const before = await shapeOf(urls.adminUrl);
    const lines: string[] = [];
    await migrate({ ...urls, log: (line) => lines.push(line) });
    expect(lines.join('\n')).toMatch(/up to date\n.*made 0 daily partitions/s);
    expect(await shapeOf(urls.adminUrl)).toEqual(before);
  });

  it('may be run by several at once, on one database and on two of one server', async () => {
    const [one, two] = [await emptyDatabase(), await emptyDatabase()];
    const applied: string[] = [];
    const log = (line: string): void => {
      if (line.includes('applied')) applied.push(line);
    };
    await Promise.all([one, two, one, two, one].map((urls) => migrate({ ...urls, log })));
    expect(applied).toHaveLength(2);
    expect(await isFit(one.appUrl)).toBe(true);
    expect(await isFit(two.appUrl)).toBe(true);
  });

  it('needs no superuser: an owner of the database that may make roles is enough', async () => {
    const admin = `boss_${newId().slice(-12)}`;
    roles.push(admin);
    await server.unsafe(`create role ${admin} login createrole createdb password 'p'`);
    // as if it had made the roles itself, which belong to the server and are there already
    await server.unsafe(`grant tocsin_owner, tocsin_pipeline, tocsin_app, tocsin_queue to ${admin} with admin option`);
    const urls = await emptyDatabase(admin);
    const adminUrl = new URL(urls.adminUrl);
    adminUrl.username = admin;
    adminUrl.password = 'p';
    await migrate({ ...urls, adminUrl: adminUrl.href, log: () => {} });
    expect(await isFit(urls.appUrl)).toBe(true);
    await server.unsafe(`drop database ${new URL(urls.adminUrl).pathname.slice(1)} with (force)`);
  });

  it('leaves the queue alone where the queue is Redis', async () => {
    const urls = await emptyDatabase();
    await migrate({ ...urls, queueUrl: 'redis://127.0.0.1:6379', log: () => {} });
    const sql = postgres(urls.adminUrl, { max: 1 });
    const [schema] = await sql`select to_regnamespace('bullmq') is null as none`;
    await sql.end();
    expect(schema).toEqual({ none: true });
  });

  it.each(['appUrl', 'queueUrl'] as const)('refuses a %s of another user, without showing its password', async (which) => {
    const urls = await emptyDatabase();
    const wrong = new URL(urls[which]);
    wrong.username = 'somebody';
    wrong.password = 'hunter2';
    const refused = migrate({ ...urls, [which]: wrong.href, log: () => {} });
    await expect(refused).rejects.toThrow(/names another user; the user must be tocsin_(app|queue)/);
    await expect(refused).rejects.not.toThrow(/hunter2/);
  });
});
