import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';
import type { RuleMarks } from './rules-of-run.ts';

/** Where a tenant stands, for whoever looks at one of its rules between runs. */
export interface TenantClock {
  nowMs: EpochMs;
  externalKey: string;
  /** The tenant's schedule, for rules without an `every`. */
  everyMs: number;
  phaseMs: number;
  /** Slot of the newest run that ended `done` or `late`; null: there is none. */
  observedSlotMs: EpochMs | null;
}

/** Null: no such tenant. */
export async function readTenantClock(sql: SqlTx, tenantId: string): Promise<TenantClock | null> {
  const [clock] = await sql<TenantClock[]>`
    select tocsin_now() as "nowMs", tenants.external_key as "externalKey", schedules.every_ms as "everyMs", schedules.phase_ms as "phaseMs", (
             select slot_at from runs
             where runs.tenant_id = tenants.tenant_id and runs.slot_at <= tocsin_now() and runs.status in ('done', 'late')
             order by slot_at desc limit 1
           ) as "observedSlotMs"
    from tenants join schedules on schedules.tenant_id = tenants.tenant_id
    where tenants.tenant_id = ${tenantId}`;
  return clock ?? null;
}

/** Ids of the tenant's rules of these keys that are looked at, by key: those that others refer to. */
export async function evaluatedRuleIds(sql: SqlTx, tenantId: string, keys: readonly string[]): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map();
  const rows = await sql<{ key: string; id: string }[]>`
    select key, id from rules where tenant_id = ${tenantId} and key = any(${keys as string[]}::text[])
      and enabled and (quarantined_until is null or quarantined_until <= tocsin_now())`;
  return new Map(rows.map(({ key, id }) => [key, id]));
}

/** What is out of the ordinary about a rule, as far as its next slot is concerned. */
export async function readRuleMarks(sql: SqlTx, tenantId: string, ruleId: string): Promise<Pick<RuleMarks, 'pausedAfterMs' | 'delayMs'>> {
  const [row] = await sql<Pick<RuleMarks, 'pausedAfterMs' | 'delayMs'>[]>`
    select paused_after as "pausedAfterMs", delay_ms as "delayMs" from rules where tenant_id = ${tenantId} and id = ${ruleId}`;
  return row ?? { pausedAfterMs: null, delayMs: null };
}

/** A rule's words as they were; null: there is no such version. */
export async function readRuleVersion(sql: SqlTx, tenantId: string, ruleId: string, version: number): Promise<unknown> {
  const [row] = await sql<{ spec: unknown }[]>`
    select spec from rule_versions where tenant_id = ${tenantId} and rule_id = ${ruleId} and version = ${version}`;
  return row?.spec ?? null;
}

/** The tenant's run at a slot, or the row that stands for the slots that were skipped there. */
export interface CoveringRun {
  id: string;
  status: string;
  reason: string | null;
  skippedFromMs: EpochMs | null;
  skippedToMs: EpochMs | null;
  skippedCount: number | null;
}

/** Null: there is none. A row of skipped slots takes the place of the newest of them. */
export async function runAt(sql: SqlTx, tenantId: string, slotMs: EpochMs): Promise<CoveringRun | null> {
  const [run] = await sql<CoveringRun[]>`
    select id, status, reason, skipped_from as "skippedFromMs", skipped_to as "skippedToMs", skipped_count as "skippedCount"
    from runs
    where tenant_id = ${tenantId} and slot_at >= to_timestamp(${slotMs}::float8 / 1000)
      and (slot_at = to_timestamp(${slotMs}::float8 / 1000) or (status = 'skipped' and skipped_from <= to_timestamp(${slotMs}::float8 / 1000)))
    order by slot_at limit 1`;
  return run ?? null;
}
