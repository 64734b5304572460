import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** An enabled rule that is to be evaluated as events arrive, and is not in quarantine. */
export interface ArrivalRuleHead {
  tenantId: string;
  id: string;
  version: number;
}

export async function readArrivalRules(sql: SqlTx, tenantIds: readonly string[]): Promise<ArrivalRuleHead[]> {
  return sql<ArrivalRuleHead[]>`
    select tenant_id as "tenantId", id, version from rules
    where tenant_id = any(${tenantIds as string[]}::uuid[]) and enabled and spec ->> 'evaluate' = 'arrival'
      and (quarantined_until is null or quarantined_until <= tocsin_now())`;
}

export interface ArrivalRun {
  slotMs: EpochMs;
  ruleIds: string[];
  /** Nobody has begun with it. */
  isWaiting: boolean;
}

/** The tenant's newest arrival run of the last hour; its slot may be to come. Null: none. */
export async function newestArrival(sql: SqlTx, tenantId: string): Promise<ArrivalRun | null> {
  const [row] = await sql<ArrivalRun[]>`
    select slot_at as "slotMs", coalesce(rule_ids, '{}') as "ruleIds", status = 'queued' and attempts = 0 as "isWaiting" from runs
    where tenant_id = ${tenantId}::uuid and kind = 'arrival' and slot_at > tocsin_now() - interval '1 hour'
    order by slot_at desc limit 1`;
  return row ?? null;
}

/** The run, which waits, is to evaluate these rules. */
export async function setArrivalRules(
  sql: SqlTx,
  { tenantId, slotMs, ruleIds }: { tenantId: string; slotMs: EpochMs; ruleIds: readonly string[] },
): Promise<void> {
  await sql`
    update runs set rule_ids = ${ruleIds as string[]}::uuid[]
    where tenant_id = ${tenantId}::uuid and slot_at = to_timestamp(${slotMs}::float8 / 1000) and status = 'queued' and attempts = 0`;
}

/** Ends the arrival runs up to this slot that nobody has begun with: a later one looks for them. Answers what they were for. */
export async function overtakeArrivals(sql: SqlTx, { tenantId, upToMs }: { tenantId: string; upToMs: EpochMs }): Promise<string[]> {
  const rows = await sql<{ ruleIds: string[] }[]>`
    update runs
    set status = 'skipped', reason = 'overtaken', skipped_from = slot_at, skipped_to = slot_at, skipped_count = 1, finished_at = tocsin_now()
    where tenant_id = ${tenantId}::uuid and slot_at <= to_timestamp(${upToMs}::float8 / 1000) and status = 'queued' and attempts = 0
      and kind = 'arrival'
    returning coalesce(rule_ids, '{}') as "ruleIds"`;
  return rows.flatMap(({ ruleIds }) => ruleIds);
}
