import { getTableName } from 'drizzle-orm';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MIGRATIONS_FOLDER } from './migrate.ts';
import type { Database, Sql } from './open-database.ts';
import { sqlState } from './sql-state.ts';
import { TABLES } from './tables/tables.ts';
import { tenancyBreaches } from './tenancy-breaches.ts';

/** The database answers, but must not be worked on as it is. */
export class DatabaseUnfit extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the database is not fit for use: ${problems.join('; ')}`);
    this.name = 'DatabaseUnfit';
    this.problems = problems;
  }
}

/**
 * What a process makes sure of before it works: its role is bound by row-level security, the schema is as new as this code, and no table,
 * partition, view or function leaks between tenants. In a newer schema it judges the tables it works on: what may be said of others, such as
 * that the sweep looks at them, newer code knows. Throws `DatabaseUnfit` with all that is wrong, or the error of a server that is away.
 */
export async function checkDatabase(db: Database): Promise<void> {
  await checkMigrations(db);
  const { sql } = db;
  const among = (await isAhead(sql)) ? TABLES.map((table) => getTableName(table)) : null;
  const problems = [...(await roleProblems(sql)), ...(await tenancyBreaches(sql, among))];
  if (problems.length > 0) throw new DatabaseUnfit(problems);
}

/** Throws `DatabaseUnfit` when the schema is older than this code. */
export async function checkMigrations({ sql }: Database): Promise<void> {
  const missing = await missingMigrations(sql);
  if (missing !== null) throw new DatabaseUnfit([missing]);
}

/** A database that is ahead is fine: migrations first widen, and narrow a release later. */
async function missingMigrations(sql: Sql): Promise<string | null> {
  const applied = await lastApplied(sql);
  if (applied === null) return 'the schema is missing: run `npm run migrate`';
  const missing = (await journal()).filter((entry) => entry.when > applied).map((entry) => entry.tag);
  return missing.length === 0 ? null : `migrations are missing (${missing.join(', ')}): run \`npm run migrate\``;
}

async function isAhead(sql: Sql): Promise<boolean> {
  const newest = Math.max(...(await journal()).map((entry) => entry.when));
  return ((await lastApplied(sql)) ?? 0) > newest;
}

const UNDEFINED_TABLE = '42P01';

async function lastApplied(sql: Sql): Promise<number | null> {
  try {
    const [row] = await sql<{ at: number | null }[]>`select max(created_at) as at from tocsin.migrations`;
    return row?.at ?? null;
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return null;
    throw error;
  }
}

async function journal(): Promise<{ tag: string; when: number }[]> {
  const text = await readFile(join(MIGRATIONS_FOLDER, 'meta', '_journal.json'), 'utf8');
  return (JSON.parse(text) as { entries: { tag: string; when: number }[] }).entries;
}

async function roleProblems(sql: Sql): Promise<string[]> {
  const rows = await sql<{ problem: string }[]>`
    select 'role ' || rolname || ' is a superuser, whom row-level security does not bind' as problem from pg_roles
    where rolname = current_user and rolsuper
    union all
    select 'role ' || rolname || ' has BYPASSRLS, so row-level security does not bind it' from pg_roles
    where rolname = current_user and rolbypassrls
    union all
    select 'role ' || current_user || ' can become ' || other.rolname || ', which sees more than one tenant' from pg_roles me, pg_roles other
    where me.rolname = current_user and not me.rolsuper and other.oid <> me.oid
      and (other.rolname in ('tocsin_owner', 'tocsin_pipeline') or other.rolsuper or other.rolbypassrls)
      and pg_has_role(me.oid, other.oid, 'member')
    union all
    select 'role ' || current_user || ' is not tocsin_app, for which the policies are made' where current_user <> 'tocsin_app'`;
  return rows.map((row) => row.problem);
}
