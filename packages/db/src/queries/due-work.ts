import type { SqlTx } from '../with-tenants.ts';

export interface DueRow {
  tenantId: string;
  id: string;
}

export interface DueWork {
  runs: DueRow[];
  triggers: DueRow[];
  deliveries: DueRow[];
  alertTimers: DueRow[];
}

/**
 * What is due, unfinished and in nobody's hands for too long, at most `limit` rows a kind. Each row is stamped as hinted, so that it comes up
 * again only after twice the wait. Needs no tenant set.
 */
export async function takeDueWork(sql: SqlTx, limit: number): Promise<DueWork> {
  return {
    runs: await sql<DueRow[]>`select tenant_id as "tenantId", id from due_runs(${limit}::int)`,
    triggers: await sql<DueRow[]>`select tenant_id as "tenantId", id from due_triggers(${limit}::int)`,
    deliveries: await sql<DueRow[]>`select tenant_id as "tenantId", id from due_deliveries(${limit}::int)`,
    alertTimers: await sql<DueRow[]>`select tenant_id as "tenantId", id from due_alert_timers(${limit}::int)`,
  };
}

/** Tenants in the order of their ids, from the one after `afterId` (null: from the first). Needs no tenant set. */
export async function tenantsAfter(sql: SqlTx, afterId: string | null, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`select tenants_after(${afterId}::uuid, ${limit}::int) as id`;
  return rows.map((row) => row.id);
}
