import type { Database } from '../open-database.ts';
import { withPipeline } from '../with-tenants.ts';

/** Makes the days that may be written to; answers how many were missing. */
export async function ensurePartitions(db: Database, eventRetentionMs: number): Promise<number> {
  const [row] = await withPipeline(
    db,
    (sql) => sql<{ made: number }[]>`select ensure_horizon(make_interval(secs => ${eventRetentionMs}::float8 / 1000)) as made`,
  );
  return row?.made ?? 0;
}

/** Drops one day, the oldest, of a partitioned table when all of it is older than `olderThanMs`; answers its name. Rejects with 55P03 when it is in use. */
export async function dropOldestPartition(db: Database, table: string, olderThanMs: number): Promise<string | null> {
  const [row] = await withPipeline(
    db,
    (sql) => sql<{ dropped: string | null }[]>`
      select drop_oldest_partition(${table}, tocsin_now() - make_interval(secs => ${olderThanMs}::float8 / 1000)) as dropped`,
  );
  return row?.dropped ?? null;
}
