import { type Database, withPipeline } from '@tocsin/db';

/** Moves the time that SQL reads through this database's doors, and makes the days that may then be written to. */
export async function passTime(db: Database, ms: number): Promise<void> {
  db.clock.shiftMs += ms;
  await withPipeline(db, (sql) => sql`select ensure_horizon()`);
}
