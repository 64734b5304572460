import type { SqlTx } from '../with-tenants.ts';

/** How the installation stands, over all tenants. Times in milliseconds, 0 where nothing waits. */
export interface Standing {
  /** Past the slot that should have been claimed first. */
  slotsLateMs: number;
  /** Of the oldest run that is unfinished. */
  runsAgeMs: number;
  /** Of the oldest trigger that is not planned: the outbox. */
  triggersAgeMs: number;
  /** Past the attempt that should have been made first. */
  deliveriesLateMs: number;
  /** Deliveries between two attempts. */
  retrying: number;
  channelsFailing: number;
  /** Deliveries given up lately. */
  dead: number;
}

/** Needs no tenant set. `failingAfter`: failures in a row that make a channel a failing one; `deadWithinMs`: what lately means. */
export async function readStanding(
  sql: SqlTx,
  { failingAfter, deadWithinMs }: { failingAfter: number; deadWithinMs: number },
): Promise<Standing> {
  const [row] = await sql<Standing[]>`
    select slots_late_ms as "slotsLateMs", runs_age_ms as "runsAgeMs", triggers_age_ms as "triggersAgeMs", deliveries_late_ms as "deliveriesLateMs",
           retrying, channels_failing as "channelsFailing", dead
    from standing(${failingAfter}::int, ${deadWithinMs / 1_000}::float8)`;
  if (row === undefined) throw new Error('one row was asked for');
  return row;
}
