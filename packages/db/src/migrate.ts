import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { ensureRoles } from './roles.ts';

export interface MigrateOptions {
  /** A superuser, or a role with CREATEROLE that owns the database. */
  adminUrl: string;
  /** Its user must be `tocsin_app`; the role gets this URL's password. */
  appUrl: string;
  /** When it is a postgres:// URL its user must be `tocsin_queue`, which gets the password and owns schema `bullmq`. */
  queueUrl?: string;
  log: (line: string) => void;
}

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../migrations', import.meta.url));

/** "tocsin" in a 64-bit key. Held per database for as long as a migration runs. */
const LOCK_KEY = 0x746f6373696e;
const OLDEST_SERVER = 150_000;

/** Makes or updates roles, schema, tables, functions and days of partitions. Safe to run again and by several at once. */
export async function migrate({ adminUrl, appUrl, queueUrl, log }: MigrateOptions): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {}, connection: { application_name: 'tocsin-migrate', statement_timeout: 0 } });
  try {
    await refuseOldServers(sql);
    log('migrate: waiting for any other migration to end');
    await sql`select pg_advisory_lock(${LOCK_KEY})`;
    await ensureRoles(sql, { appUrl, queueUrl: queueUrl ?? null });
    log('migrate: roles are ready');
    await sql`set role tocsin_owner`;
    await sql`set search_path = tocsin, pg_temp`;
    const before = await appliedCount(sql);
    await applyMigrations(drizzle(sql), { migrationsFolder: MIGRATIONS_FOLDER, migrationsSchema: 'tocsin', migrationsTable: 'migrations' });
    const applied = (await appliedCount(sql)) - before;
    log(applied === 0 ? 'migrate: the schema is up to date' : `migrate: applied ${applied} migration${applied === 1 ? '' : 's'}`);
    const [days] = await sql`select tocsin.ensure_horizon() as made`;
    log(`migrate: made ${days?.made} daily partitions`);
  } finally {
    // ends the session and with it the lock
    await sql.end({ timeout: 5 });
  }
}

async function refuseOldServers(sql: postgres.Sql): Promise<void> {
  const [server] = await sql`select current_setting('server_version_num')::int as number, current_setting('server_version') as name`;
  if (server?.number < OLDEST_SERVER) throw new Error(`PostgreSQL 15 or newer is needed; this server is ${server?.name}`);
}

async function appliedCount(sql: postgres.Sql): Promise<number> {
  const [table] = await sql`select to_regclass('tocsin.migrations') is not null as exists`;
  if (!table?.exists) return 0;
  const [row] = await sql`select count(*)::int as n from tocsin.migrations`;
  return row?.n;
}
