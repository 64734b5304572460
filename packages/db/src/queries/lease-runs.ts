import type { ActiveHours, EpochMs } from '@tocsin/domain';
import type { RunKind } from '../tables/runs.ts';
import type { SqlTx } from '../with-tenants.ts';
import { slotBounds } from './slot-bounds.ts';

export interface LeasedRun {
  tenantId: string;
  id: string;
  slotMs: EpochMs;
  token: string;
  leasedMs: EpochMs;
  /** This one included. */
  attempts: number;
  kind: RunKind;
  /** The rules it is for. Null: whichever are due, and of a manual run all that are enabled. */
  ruleIds: string[] | null;
  /** Slot of the tenant's newest scheduled run before this one that ended `done` or `late`: what this run covers begins after it. Null: there is none. */
  observedSlotMs: EpochMs | null;
  /** It stands for older slots too, so that the time since the slot before it is not a gap. */
  coversOlder: boolean;
  /** The tenant's schedule, for rules without an `every`. */
  everyMs: number;
  /** How far its slots lie apart where they are closest, the debounce included. */
  slotEveryMs: number;
  phaseMs: number;
  /** Its slots are a cron's; the grid rests. */
  isCron: boolean;
  timeZone: string;
  activeHours: ActiveHours[];
  pausedUntilMs: EpochMs | null;
  failedRuns: number;
}

export interface Leases {
  leased: LeasedRun[];
  /** Tenants whose run is in nobody's hands, but was: it may be what its process died of, and is leased only when it is the only one wanted. */
  suspects: string[];
  /** Tenants whose earliest run is for a moment that is to come. */
  early: { tenantId: string; inMs: number }[];
}

/** The newest run that succeeded is younger, unless the tenant is new or its runs fail: slots lie a day apart at most. */
const USUALLY_OBSERVED_WITHIN_MS = 25 * 3_600_000;

/**
 * Leases each tenant's earliest unfinished run under its token, unless somebody holds it or the tenant is backed off, and counts the attempt.
 * A later run is never leased before an earlier one has ended. What it costs does not depend on how long runs are kept: all that looks at
 * every day's partition is one scan, over the unfinished runs alone.
 */
export async function leaseRuns(sql: SqlTx, wanted: readonly { tenantId: string; token: string }[], leaseMs: number): Promise<Leases> {
  const isAlone = wanted.length === 1;
  const earliest = await earliestRuns(
    sql,
    wanted.map(({ tenantId }) => tenantId),
  );
  const free = earliest.filter(({ isFree, inMs }) => isFree && inMs <= 0);
  const suspects = isAlone ? [] : free.filter(({ attempts }) => attempts > 0);
  const tokens = new Map(wanted.map(({ tenantId, token }) => [tenantId, token]));
  const runs = free.flatMap(({ tenantId, slotMs, attempts }) => {
    const token = tokens.get(tenantId);
    return token === undefined || (attempts > 0 && !isAlone) ? [] : { tenantId, slotMs, token };
  });
  const leased = runs.length === 0 ? [] : await leaseThese(sql, runs, leaseMs);
  await findOlderObserved(sql, leased);
  const early = earliest.flatMap(({ tenantId, inMs }) => (inMs > 0 ? { tenantId, inMs } : []));
  return { leased, suspects: suspects.map(({ tenantId }) => tenantId), early };
}

interface EarliestRun {
  tenantId: string;
  slotMs: EpochMs;
  attempts: number;
  isFree: boolean;
  /** Until an arrival run may be evaluated; the others always may. */
  inMs: number;
}

/** The earliest unfinished run of each tenant that has one. */
async function earliestRuns(sql: SqlTx, tenantIds: readonly string[]): Promise<EarliestRun[]> {
  return sql<EarliestRun[]>`
    select distinct on (tenant_id) tenant_id as "tenantId", slot_at as "slotMs", attempts, lease_until is null or lease_until <= tocsin_now() as "isFree",
      case when kind = 'arrival' then (extract(epoch from slot_at - tocsin_now()) * 1000)::float8 else 0 end as "inMs"
    from runs where tenant_id = any(${tenantIds as string[]}::uuid[]) and status in ('queued', 'running')
    order by tenant_id, slot_at`;
}

/** Those that are still to be had. A row that is locked stays in its place, where it is found again without looking through an index. */
async function leaseThese(
  sql: SqlTx,
  runs: readonly { tenantId: string; slotMs: EpochMs; token: string }[],
  leaseMs: number,
): Promise<LeasedRun[]> {
  const observedFromMs = Math.min(...runs.map(({ slotMs }) => slotMs)) - USUALLY_OBSERVED_WITHIN_MS;
  return sql<LeasedRun[]>`
    with wanted as materialized (
      select tenant_id, to_timestamp(slot / 1000) as slot_at, token
      from unnest(
        ${runs.map(({ tenantId }) => tenantId)}::uuid[], ${runs.map(({ slotMs }) => slotMs)}::float8[], ${runs.map(({ token }) => token)}::uuid[]
      ) as given (tenant_id, slot, token)
    ), free as materialized (
      select runs.tenant_id, runs.slot_at, wanted.token, runs.tableoid as day, runs.ctid as place
      from wanted join runs on runs.tenant_id = wanted.tenant_id and runs.slot_at = wanted.slot_at
      where runs.status in ('queued', 'running') and (runs.lease_until is null or runs.lease_until <= tocsin_now())
        and (runs.attempts = 0 or ${runs.length === 1}) and ${slotBounds(sql, runs)}
      order by runs.tenant_id
      for update of runs skip locked
    ), observed as materialized (
      select free.*, schedules.every_ms, schedules.phase_ms, schedules.failed_runs, schedules.cron is not null as is_cron, schedules.time_zone,
        schedules.active_hours, schedules.paused_until,
        (schedules.slot_every_ms * greatest(1, ceil(schedules.debounce_ms / schedules.slot_every_ms::float8)))::bigint as slot_every_ms, (
        select ${scheduledSlot(sql)} from runs past
        where past.tenant_id = free.tenant_id and past.slot_at < free.slot_at and past.slot_at >= to_timestamp(${observedFromMs}::float8 / 1000)
          and past.slot_at < to_timestamp(${Math.max(...runs.map(({ slotMs }) => slotMs))}::float8 / 1000) and past.status in ('done', 'late')
        order by past.slot_at desc limit 1
      ) as observed_slot_at
      from free join schedules on schedules.tenant_id = free.tenant_id
      where schedules.backed_off_until is null or schedules.backed_off_until <= tocsin_now()
    )
    update runs
    set status = 'running', attempts = attempts + 1, lease_token = observed.token, started_at = coalesce(started_at, tocsin_now()),
        lease_until = tocsin_now() + make_interval(secs => ${leaseMs}::float8 / 1000)
    from observed
    where runs.ctid = observed.place and runs.tableoid = observed.day and ${slotBounds(sql, runs)}
    returning runs.tenant_id as "tenantId", runs.id, runs.slot_at as "slotMs", observed.token, runs.attempts, tocsin_now() as "leasedMs", runs.kind,
              runs.rule_ids as "ruleIds",
              observed.observed_slot_at as "observedSlotMs", observed.every_ms as "everyMs", observed.slot_every_ms as "slotEveryMs",
              observed.phase_ms as "phaseMs", observed.failed_runs as "failedRuns", runs.covered_from is not null as "coversOlder",
              observed.is_cron as "isCron", observed.time_zone as "timeZone", observed.active_hours as "activeHours",
              observed.paused_until as "pausedUntilMs"`;
}

/** Of a run that has succeeded: up to which slot of the schedule everything was evaluated by then. */
const scheduledSlot = (sql: SqlTx) => sql`case when past.kind = 'scheduled' then past.slot_at else past.scheduled_slot_at end`;

async function findOlderObserved(sql: SqlTx, leased: readonly LeasedRun[]): Promise<void> {
  const blank = leased.filter(({ observedSlotMs }) => observedSlotMs === null);
  if (blank.length === 0) return;
  const rows = await sql<{ tenantId: string; slotMs: EpochMs }[]>`
    select wanted.tenant_id as "tenantId", past.slot as "slotMs"
    from unnest(${blank.map(({ tenantId }) => tenantId)}::uuid[], ${blank.map(({ slotMs }) => slotMs)}::float8[]) as wanted (tenant_id, slot)
    cross join lateral (
      select ${scheduledSlot(sql)} as slot from runs past
      where past.tenant_id = wanted.tenant_id and past.slot_at < to_timestamp(wanted.slot / 1000) and past.status in ('done', 'late')
      order by past.slot_at desc limit 1
    ) past
    where past.slot is not null`;
  const found = new Map(rows.map(({ tenantId, slotMs }) => [tenantId, slotMs]));
  for (const run of blank) run.observedSlotMs = found.get(run.tenantId) ?? null;
}
