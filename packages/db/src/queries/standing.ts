import { FAILING_AFTER } from '@tocsin/domain';
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

/** What lately means. */
const LATELY_MS = 300_000;

/** Needs no tenant set. */
export async function readStanding(sql: SqlTx): Promise<Standing> {
  const [row] = await sql<Standing[]>`
    select slots_late_ms as "slotsLateMs", runs_age_ms as "runsAgeMs", triggers_age_ms as "triggersAgeMs", deliveries_late_ms as "deliveriesLateMs",
           retrying, channels_failing as "channelsFailing", dead
    from standing(${FAILING_AFTER}::int, ${LATELY_MS / 1_000}::float8)`;
  if (row === undefined) throw new Error('one row was asked for');
  return row;
}
