import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** How many rows of a kind are unfinished, over all tenants. */
export interface Backlog {
  kind: 'runs' | 'triggers' | 'deliveries' | 'alert_timers';
  status: string;
  waiting: number;
  /** When the oldest was made; a timer: when it fell due. */
  oldestMs: EpochMs;
}

/** For metrics and scaling; kinds with nothing unfinished are left out. Needs no tenant set. */
export async function readBacklog(sql: SqlTx): Promise<Backlog[]> {
  return sql<Backlog[]>`select kind, status, waiting, oldest_at as "oldestMs" from backlog() order by kind, status`;
}
