import { sql as statement } from 'drizzle-orm';
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type pg from 'pg';
import type postgres from 'postgres';
import { isUuid } from './is-uuid.ts';
import type { Database } from './open-database.ts';

/** A transaction of a door, for tables and CRUD. */
export type DrizzleTx = Parameters<Parameters<PostgresJsDatabase['transaction']>[0]>[0];

/** A transaction of a door, for raw SQL: timestamptz comes and goes as epoch milliseconds, int8 as a number, jsonb as objects. */
export type SqlTx = postgres.TransactionSql<{ timestamptz: number; int8: number }>;

/** Runs `work` in a transaction that sees the rows of these tenants and no other. Throws before it starts when an id is no UUID. */
export function withTenants<T>(db: Database, tenantIds: readonly string[], work: (tx: DrizzleTx) => Promise<T>): Promise<T> {
  const tenants = tenantSetting(tenantIds);
  return db.drizzle.transaction(async (tx) => {
    await tx.execute(statement.raw(settings(db, tenants)));
    return work(tx);
  });
}

export const withTenant = <T>(db: Database, tenantId: string, work: (tx: DrizzleTx) => Promise<T>): Promise<T> =>
  withTenants(db, [tenantId], work);

/** `withTenants` for raw SQL. */
export function withTenantsSql<T>(db: Database, tenantIds: readonly string[], work: (sql: SqlTx) => Promise<T>): Promise<T> {
  const tenants = tenantSetting(tenantIds);
  return inTransaction(db, tenants, work);
}

/** A transaction that sees no tenant: for the functions that look across tenants, and then `setTenants` with the ids they gave. */
export const withPipeline = <T>(db: Database, work: (sql: SqlTx) => Promise<T>): Promise<T> => inTransaction(db, '', work);

/** Makes the running transaction see the rows of these tenants and no other. */
export async function setTenants(sql: SqlTx, tenantIds: readonly string[]): Promise<void> {
  await sql`select set_config('app.tenant_ids', ${tenantSetting(tenantIds)}, true)`;
}

/** What `copyRows` reads from. */
export type CopyClient = pg.PoolClient;

/** What a transaction of `withTenantsCopy` sees, for a later one to tell what is new since. */
export interface Snapshot {
  /** As `pg_snapshot` writes it. */
  transactions: string;
  /** Another text after a restart, a crash or a failover: the numbers of transactions may mean others there. */
  server: string;
}

/**
 * A read-only snapshot of these tenants' rows, on a client that `copyRows` takes. When `signal` aborts, the statement under way is left with its
 * connection, and the signal's reason is what it rejects with.
 */
export async function withTenantsCopy<T>(
  db: Database,
  tenantIds: readonly string[],
  work: (client: CopyClient, snapshot: Snapshot) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const tenants = tenantSetting(tenantIds);
  const client = await db.pool.connect();
  let [broken, released] = [true, false];
  const release = (): void => {
    if (released) return;
    released = true;
    // a connection whose transaction did not end well may still be streaming: never give it to another
    client.release(broken);
  };
  signal?.addEventListener('abort', release, { once: true });
  try {
    signal?.throwIfAborted();
    const results = (await client.query(
      `begin isolation level repeatable read read only; ${settings(db, tenants)}; ${SNAPSHOT}`,
    )) as unknown as pg.QueryResult<Snapshot>[];
    const result = await work(client, results[2]!.rows[0]!);
    await client.query('commit');
    broken = false;
    return result;
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', release);
    release();
  }
}

/** Statistics start afresh after a crash, which the server's own start outlives. */
const SNAPSHOT = `select pg_current_snapshot()::text as transactions,
  pg_postmaster_start_time()::text || ' ' || coalesce((select stats_reset::text from pg_stat_get_wal()), '') as server`;

async function inTransaction<T>(db: Database, tenants: string, work: (sql: SqlTx) => Promise<T>): Promise<T> {
  const outcome = await db.sql.begin(async (sql) => {
    // Goes out with the first statement of the work. Should it fail, the transaction is over and that statement does nothing.
    const set = sql.unsafe(settings(db, tenants)).execute();
    const value = await work(sql);
    await set;
    return { value };
  });
  return outcome.value;
}

/** Fit to stand in a statement's text: the tenants are UUIDs and commas alone. */
function settings(db: Database, tenants: string): string {
  const { shiftMs } = db.clock;
  if (!Number.isSafeInteger(shiftMs)) throw new RangeError('clock.shiftMs must be a whole number of milliseconds');
  const shift = shiftMs === 0 ? '' : `, set_config('app.clock_shift_ms', '${shiftMs}', true)`;
  return `select set_config('app.tenant_ids', '${tenants}', true)${shift}`;
}

function tenantSetting(tenantIds: readonly string[]): string {
  for (const id of tenantIds) {
    if (!isUuid(id)) throw new TypeError('a tenant id must be a UUID');
  }
  return tenantIds.join(',');
}
