import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** Says again, as constants, which days are meant, so that the other partitions are left out of the plan. */
export const slotBounds = (sql: SqlTx, runs: readonly { slotMs: EpochMs }[]) => {
  const slots = runs.map((run) => run.slotMs);
  return sql`runs.slot_at between to_timestamp(${Math.min(...slots)}::float8 / 1000) and to_timestamp(${Math.max(...slots)}::float8 / 1000)`;
};
