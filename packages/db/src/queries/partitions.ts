import type { Sql } from '../open-database.ts';

/** Makes the days that may be written to; answers how many were missing. */
export async function ensurePartitions(sql: Sql, eventRetentionMs: number): Promise<number> {
  const [row] = await sql<{ made: number }[]>`
    select ensure_horizon(make_interval(secs => ${eventRetentionMs}::float8 / 1000))
         -- A schedule of one slot a day that was down for long still records the slot before its newest.
         + ensure_partitions(tocsin_now() - interval '3 days', tocsin_now(), 'runs') as made`;
  return row?.made ?? 0;
}

/** Drops one day, the oldest, of a partitioned table when all of it is older than `olderThanMs`; answers its name. Rejects with 55P03 when it is in use. */
export async function dropOldestPartition(sql: Sql, table: string, olderThanMs: number): Promise<string | null> {
  const [row] = await sql<{ dropped: string | null }[]>`
    select drop_oldest_partition(${table}, tocsin_now() - make_interval(secs => ${olderThanMs}::float8 / 1000)) as dropped`;
  return row?.dropped ?? null;
}
