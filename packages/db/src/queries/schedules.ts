import type { Calendar, EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

export interface DueSchedule {
  tenantId: string;
  nextSlotMs: EpochMs;
  lastSlotMs: EpochMs | null;
  /** Its grid is as fine as the tenant's finest rule. */
  calendar: Calendar;
  /** It was held back by failing runs: that, not an outage, is why slots were missed. */
  wasBackedOff: boolean;
  /** It still is. */
  isBackedOff: boolean;
}

/** Locks up to `limit` due schedules that nobody else is claiming and answers their tenants. Needs no tenant set. */
export async function lockDueSchedules(sql: SqlTx, limit: number): Promise<string[]> {
  const rows = await sql<{ tenantId: string }[]>`select lock_due_schedules(${limit}::int) as "tenantId"`;
  return rows.map((row) => row.tenantId);
}

/** Of those that have something to claim, one day. */
export async function readDueSchedules(sql: SqlTx, tenantIds: readonly string[]): Promise<{ nowMs: EpochMs; schedules: DueSchedule[] }> {
  const rows = await sql<(DueRow & { nextSlotMs: EpochMs; nowMs: EpochMs })[]>`
    select ${asDue(sql)}, tocsin_now() as "nowMs" from schedules where tenant_id = any(${tenantIds as string[]}::uuid[]) and next_slot_at is not null`;
  return { nowMs: rows[0]?.nowMs ?? 0, schedules: rows.map((row) => ({ ...scheduleOf(row), nextSlotMs: row.nextSlotMs })) };
}

interface DueRow extends Omit<DueSchedule, 'nextSlotMs' | 'calendar'>, Calendar {
  nextSlotMs: EpochMs | null;
}

const scheduleOf = ({ tenantId, lastSlotMs, wasBackedOff, isBackedOff, ...calendar }: DueRow): Omit<DueSchedule, 'nextSlotMs'> => {
  const { everyMs, phaseMs, debounceMs, timeZone, cron, activeHours, pausedUntilMs } = calendar;
  const shape = { everyMs, phaseMs, debounceMs, timeZone, cron, activeHours, pausedUntilMs };
  return { tenantId, lastSlotMs, wasBackedOff, isBackedOff, calendar: shape };
};

const asDue = (sql: SqlTx) => sql`
  tenant_id as "tenantId", next_slot_at as "nextSlotMs", last_slot_at as "lastSlotMs", slot_every_ms as "everyMs", phase_ms as "phaseMs",
  debounce_ms as "debounceMs", time_zone as "timeZone", cron, active_hours as "activeHours", paused_until as "pausedUntilMs",
  backed_off_until is not null as "wasBackedOff", coalesce(backed_off_until > tocsin_now(), false) as "isBackedOff"`;

export interface LockedSchedule {
  /** Null: no slot is to come. */
  schedule: DueSchedule | null;
  nowMs: EpochMs;
  /** The first instant after all there is a run for, and not before now. An arrival run may be for one that is to come. */
  freeMs: EpochMs;
}

/** Locks one tenant's schedule, so that nobody else gives it runs. Null: there is no such tenant. */
export async function lockSchedule(sql: SqlTx, tenantId: string): Promise<LockedSchedule | null> {
  const [row] = await sql<DueRow[]>`select ${asDue(sql)} from schedules where tenant_id = ${tenantId}::uuid for no key update`;
  if (row === undefined) return null;
  // Asked for after the lock is had: who had it before may have made a run.
  const [{ nowMs, freeMs } = { nowMs: 0, freeMs: 0 }] = await sql<{ nowMs: EpochMs; freeMs: EpochMs }[]>`
    select tocsin_now() as "nowMs", greatest(tocsin_now(), (
      select slot_at from runs where tenant_id = ${tenantId}::uuid order by slot_at desc limit 1
    ) + interval '1 millisecond') as "freeMs"`;
  const { nextSlotMs } = row;
  return { schedule: nextSlotMs === null ? null : { ...scheduleOf(row), nextSlotMs }, nowMs, freeMs };
}

/** Null: none is to come. */
export async function nextSlotOf(sql: SqlTx, tenantId: string): Promise<EpochMs | null> {
  const [row] = await sql<{ slotMs: EpochMs | null }[]>`select next_slot_at as "slotMs" from schedules where tenant_id = ${tenantId}::uuid`;
  return row?.slotMs ?? null;
}

export async function advanceSchedules(
  sql: SqlTx,
  claims: readonly { tenantId: string; slotMs: EpochMs; nextSlotMs: EpochMs | null }[],
): Promise<void> {
  await sql`
    update schedules set last_slot_at = to_timestamp(claimed.slot / 1000), next_slot_at = to_timestamp(claimed.next_slot / 1000)
    from unnest(
      ${claims.map((claim) => claim.tenantId)}::uuid[], ${claims.map((claim) => claim.slotMs)}::float8[],
      ${claims.map((claim) => claim.nextSlotMs)}::float8[]
    ) as claimed (tenant_id, slot, next_slot)
    where schedules.tenant_id = claimed.tenant_id`;
}

/** When the earliest schedule falls due and what time it is now; `dueMs` null: no tenant has a rule to look at. Needs no tenant set. */
export async function nextDue(sql: SqlTx): Promise<{ dueMs: EpochMs | null; nowMs: EpochMs }> {
  const [row] = await sql<{ dueMs: EpochMs | null; nowMs: EpochMs }[]>`select next_due_at() as "dueMs", tocsin_now() as "nowMs"`;
  return row ?? { dueMs: null, nowMs: 0 };
}

/**
 * Holds back tenants whose run failed for good: 1 min, doubling to 1 h. Slots missed meanwhile are recorded as skipped when it ends.
 * Answers how many runs in a row each has failed now.
 */
export async function backOffSchedules(
  sql: SqlTx,
  tenantIds: readonly string[],
): Promise<{ tenantId: string; failedRuns: number; untilMs: EpochMs }[]> {
  return sql<{ tenantId: string; failedRuns: number; untilMs: EpochMs }[]>`
    update schedules
    set failed_runs = failed_runs + 1,
        backed_off_until = tocsin_now() + make_interval(secs => least(60 * power(2, least(failed_runs, 10)), 3600))
    where tenant_id = any(${tenantIds as string[]}::uuid[])
    returning tenant_id as "tenantId", failed_runs as "failedRuns", backed_off_until as "untilMs"`;
}

/** A run has succeeded: the tenant is as good as any other again. */
export async function clearBackOff(sql: SqlTx, tenantIds: readonly string[]): Promise<void> {
  await sql`update schedules set failed_runs = 0, backed_off_until = null where tenant_id = any(${tenantIds as string[]}::uuid[])`;
}
