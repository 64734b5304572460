import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** What time it is, for the database: the same throughout a transaction. */
export async function databaseTime(sql: SqlTx): Promise<EpochMs> {
  const [row] = await sql<{ nowMs: EpochMs }[]>`select tocsin_now() as "nowMs"`;
  if (row === undefined) throw new Error('the database does not say what time it is');
  return row.nowMs;
}
