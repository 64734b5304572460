import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';
import type { LeasedRun } from './lease-runs.ts';
import type { RuleHead } from './rules-of-run.ts';

/** Where a tenant stands, for whoever looks at one of its rules between runs: what a run of this moment would be leased with. */
export interface TenantClock extends Pick<
  LeasedRun,
  'everyMs' | 'slotEveryMs' | 'phaseMs' | 'isCron' | 'timeZone' | 'activeHours' | 'pausedUntilMs' | 'observedSlotMs'
> {
  nowMs: EpochMs;
  externalKey: string;
}

/** Null: no such tenant. */
export async function readTenantClock(sql: SqlTx, tenantId: string): Promise<TenantClock | null> {
  const [clock] = await sql<TenantClock[]>`
    select tocsin_now() as "nowMs", tenants.external_key as "externalKey", schedules.every_ms as "everyMs", schedules.phase_ms as "phaseMs",
           (schedules.slot_every_ms * greatest(1, ceil(schedules.debounce_ms / schedules.slot_every_ms::float8)))::bigint as "slotEveryMs",
           schedules.cron is not null as "isCron", schedules.time_zone as "timeZone", schedules.active_hours as "activeHours",
           schedules.paused_until as "pausedUntilMs", (
             select case when past.kind = 'scheduled' then past.slot_at else past.scheduled_slot_at end from runs past
             where past.tenant_id = tenants.tenant_id and past.slot_at <= tocsin_now() and past.status in ('done', 'late')
             order by past.slot_at desc limit 1
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

/** What a run would have to know of the rule; null: there is no such rule. */
export async function readRuleHead(sql: SqlTx, tenantId: string, ruleId: string): Promise<Pick<RuleHead, 'extraSlotMs' | 'marks'> | null> {
  const [head] = await sql<Pick<RuleHead, 'extraSlotMs' | 'marks'>[]>`
    select extra_slot_at as "extraSlotMs", jsonb_build_object(
             'failures', failures, 'pausedAfterMs', (extract(epoch from paused_after) * 1000)::float8, 'delayMs', delay_ms
           ) as marks
    from rules where tenant_id = ${tenantId} and id = ${ruleId}`;
  return head ?? null;
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
