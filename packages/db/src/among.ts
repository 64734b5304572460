import type postgres from 'postgres';
import type { SqlTx } from './with-tenants.ts';

/**
 * `alias.column = any(ids)`, said beside a join that says it already. A table's policy names the tenants as well, and to a planner that does
 * not know how many rows they have by now, reading all of them looks cheap: a batch in the midst of a storm would read the storm.
 */
export const among = (sql: SqlTx, alias: string, ids: readonly string[], column = 'id'): postgres.PendingQuery<postgres.Row[]> =>
  sql`${sql(alias)}.${sql(column)} = any(${ids as string[]}::uuid[])`;
