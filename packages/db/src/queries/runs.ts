import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

export interface NewRun {
  tenantId: string;
  id: string;
  slotMs: EpochMs;
  /** Slot of the tenant's run before; null: its first. */
  previousSlotMs: EpochMs | null;
  /** `skipped` rows stand for slots that were missed and are terminal from the start. */
  skipped: { reason: string; fromMs: EpochMs; toMs: EpochMs; count: number } | null;
}

/** Answers the ids of the runs that are new; a slot that has a row already keeps it. */
export async function insertRuns(sql: SqlTx, runs: readonly NewRun[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    insert into runs (tenant_id, slot_at, id, previous_slot_at, status, reason, skipped_from, skipped_to, skipped_count, finished_at)
    select tenant_id, to_timestamp(slot / 1000), id, to_timestamp(previous / 1000),
           case when skipped_count is null then 'queued' else 'skipped' end, reason,
           to_timestamp(skipped_from / 1000), to_timestamp(skipped_to / 1000), skipped_count,
           case when skipped_count is null then null else tocsin_now() end
    from unnest(
      ${runs.map((run) => run.tenantId)}::uuid[], ${runs.map((run) => run.slotMs)}::float8[], ${runs.map((run) => run.id)}::uuid[],
      ${runs.map((run) => run.previousSlotMs)}::float8[], ${runs.map((run) => run.skipped?.reason ?? null)}::text[],
      ${runs.map((run) => run.skipped?.fromMs ?? null)}::float8[], ${runs.map((run) => run.skipped?.toMs ?? null)}::float8[],
      ${runs.map((run) => run.skipped?.count ?? null)}::int[]
    ) as new (tenant_id, slot, id, previous, reason, skipped_from, skipped_to, skipped_count)
    on conflict (tenant_id, slot_at) do nothing
    returning id`;
  return rows.map((row) => row.id);
}

/** How many runs of each of these tenants have not ended; a tenant without any is absent. */
export async function countUnfinishedRuns(sql: SqlTx, tenantIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql<{ tenantId: string; runs: number }[]>`
    select tenant_id as "tenantId", count(*) as runs from runs
    where tenant_id = any(${tenantIds as string[]}::uuid[]) and status in ('queued', 'running')
    group by tenant_id`;
  return new Map(rows.map(({ tenantId, runs }) => [tenantId, runs]));
}

export interface LeasedRun {
  tenantId: string;
  id: string;
  slotMs: EpochMs;
  token: string;
  leasedMs: EpochMs;
  /** This one included. */
  attempts: number;
  /** Slot of the tenant's newest run that ended `done` or `late`: what this run covers begins after it. Null: there is none. */
  observedSlotMs: EpochMs | null;
  /** The tenant's schedule, for rules without an `every`. */
  everyMs: number;
  slotEveryMs: number;
  phaseMs: number;
  failedRuns: number;
}

/**
 * Leases each tenant's earliest unfinished run under its token, unless somebody holds it or the tenant is backed off, and counts the attempt.
 * A later run is never leased before an earlier one has ended. A run that was leased before, and so may be what its process died of, is
 * leased only when it is the only one wanted: see `suspectRuns`.
 */
export async function leaseRuns(sql: SqlTx, wanted: readonly { tenantId: string; token: string }[], leaseMs: number): Promise<LeasedRun[]> {
  return sql<LeasedRun[]>`
    with earliest as materialized (
      select wanted.tenant_id, wanted.token, first.slot_at
      from unnest(${wanted.map((each) => each.tenantId)}::uuid[], ${wanted.map((each) => each.token)}::uuid[]) as wanted (tenant_id, token)
      cross join lateral (
        select slot_at from runs where runs.tenant_id = wanted.tenant_id and status in ('queued', 'running') order by slot_at limit 1
      ) first
    ), free as materialized (
      select runs.tenant_id, runs.slot_at, earliest.token
      from earliest join runs on runs.tenant_id = earliest.tenant_id and runs.slot_at = earliest.slot_at
      where runs.status in ('queued', 'running') and (runs.lease_until is null or runs.lease_until <= tocsin_now())
        and (runs.attempts = 0 or ${wanted.length === 1})
      order by runs.tenant_id
      for update of runs skip locked
    ), observed as materialized (
      select free.*, schedules.every_ms, schedules.slot_every_ms, schedules.phase_ms, schedules.failed_runs, (
        select past.slot_at from runs past
        where past.tenant_id = free.tenant_id and past.slot_at < free.slot_at and past.status in ('done', 'late')
        order by past.slot_at desc limit 1
      ) as observed_slot_at
      from free join schedules on schedules.tenant_id = free.tenant_id
      where schedules.backed_off_until is null or schedules.backed_off_until <= tocsin_now()
    )
    update runs
    set status = 'running', attempts = attempts + 1, lease_token = observed.token, started_at = coalesce(started_at, tocsin_now()),
        lease_until = tocsin_now() + make_interval(secs => ${leaseMs}::float8 / 1000)
    from observed
    where runs.tenant_id = observed.tenant_id and runs.slot_at = observed.slot_at
    returning runs.tenant_id as "tenantId", runs.id, runs.slot_at as "slotMs", observed.token, runs.attempts, tocsin_now() as "leasedMs",
              observed.observed_slot_at as "observedSlotMs", observed.every_ms as "everyMs", observed.slot_every_ms as "slotEveryMs",
              observed.phase_ms as "phaseMs", observed.failed_runs as "failedRuns"`;
}

/** Those of these tenants whose earliest unfinished run is in nobody's hands, but was: it is to be leased alone. */
export async function suspectRuns(sql: SqlTx, tenantIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ tenantId: string }[]>`
    select wanted.tenant_id as "tenantId"
    from unnest(${tenantIds as string[]}::uuid[]) as wanted (tenant_id)
    cross join lateral (
      select attempts, lease_until from runs where runs.tenant_id = wanted.tenant_id and status in ('queued', 'running') order by slot_at limit 1
    ) first
    where first.attempts > 0 and (first.lease_until is null or first.lease_until <= tocsin_now())`;
  return rows.map((row) => row.tenantId);
}

/** What proves that a run is still ours. */
export interface RunLease {
  tenantId: string;
  slotMs: EpochMs;
  token: string;
}

export async function renewRunLeases(sql: SqlTx, leases: readonly RunLease[], leaseMs: number): Promise<void> {
  await sql`
    update runs set lease_until = tocsin_now() + make_interval(secs => ${leaseMs}::float8 / 1000)
    from ${leased(sql, leases)}
    where ${isHeld(sql, leases)}`;
}

export interface FinishedRun extends RunLease {
  everyMs: number;
  rules: number;
  series: number;
  triggers: number;
}

/** The fence: answers the tenants whose run was still ours and is now `done`, or `late` when it ended over one `every` after its slot. */
export async function finishRuns(sql: SqlTx, runs: readonly FinishedRun[]): Promise<{ tenantId: string; status: 'done' | 'late' }[]> {
  return sql<{ tenantId: string; status: 'done' | 'late' }[]>`
    update runs
    set status = case when tocsin_now() > runs.slot_at + make_interval(secs => mine.every_ms / 1000) then 'late' else 'done' end,
        reason = null, finished_at = tocsin_now(), lease_token = null, lease_until = null, rules = mine.rules, series = mine.series, triggers = mine.triggers
    from unnest(
      ${runs.map((run) => run.tenantId)}::uuid[], ${runs.map((run) => run.slotMs)}::float8[], ${runs.map((run) => run.token)}::uuid[],
      ${runs.map((run) => run.everyMs)}::float8[], ${runs.map((run) => run.rules)}::int[], ${runs.map((run) => run.series)}::int[],
      ${runs.map((run) => run.triggers)}::int[]
    ) as mine (tenant_id, slot, token, every_ms, rules, series, triggers)
    where ${isHeld(sql, runs)}
    returning runs.tenant_id as "tenantId", runs.status`;
}

/** Gives the runs back for another attempt; one that is not counted was no fault of theirs. */
export async function releaseRuns(
  sql: SqlTx,
  leases: readonly RunLease[],
  { reason, isCounted }: { reason: string; isCounted: boolean },
): Promise<void> {
  await sql`
    update runs
    set status = 'queued', lease_token = null, lease_until = null, reason = ${reason}, hinted_at = tocsin_now(),
        attempts = attempts - ${isCounted ? 0 : 1}::int
    from ${leased(sql, leases)}
    where ${isHeld(sql, leases)}`;
}

/** Ends the runs for good; answers those that were still ours. */
export async function failRuns(
  sql: SqlTx,
  leases: readonly RunLease[],
  reason: string,
): Promise<{ tenantId: string; id: string; slotMs: EpochMs }[]> {
  return sql<{ tenantId: string; id: string; slotMs: EpochMs }[]>`
    update runs set status = 'failed', reason = ${reason}, finished_at = tocsin_now(), lease_token = null, lease_until = null
    from ${leased(sql, leases)}
    where ${isHeld(sql, leases)}
    returning runs.tenant_id as "tenantId", runs.id, runs.slot_at as "slotMs"`;
}

/** What triggers a run told after all, once some of its rules were superseded. */
export async function correctRunCounts(sql: SqlTx, runs: readonly FinishedRun[]): Promise<void> {
  await sql`
    update runs set triggers = mine.triggers
    from unnest(
      ${runs.map((run) => run.tenantId)}::uuid[], ${runs.map((run) => run.slotMs)}::float8[], ${runs.map((run) => run.triggers)}::int[]
    ) as mine (tenant_id, slot, triggers)
    where runs.tenant_id = mine.tenant_id and runs.slot_at = to_timestamp(mine.slot / 1000) and ${slotBounds(sql, runs)}`;
}

/** The earliest run that waits, of each of these tenants that has one. */
export async function waitingRuns(sql: SqlTx, tenantIds: readonly string[]): Promise<{ tenantId: string; runId: string }[]> {
  return sql<{ tenantId: string; runId: string }[]>`
    select wanted.tenant_id as "tenantId", first.id as "runId"
    from unnest(${tenantIds as string[]}::uuid[]) as wanted (tenant_id)
    cross join lateral (
      select id from runs where runs.tenant_id = wanted.tenant_id and status = 'queued' order by slot_at limit 1
    ) first`;
}

const leased = (sql: SqlTx, leases: readonly RunLease[]) => sql`
  unnest(
    ${leases.map((lease) => lease.tenantId)}::uuid[], ${leases.map((lease) => lease.slotMs)}::float8[], ${leases.map((lease) => lease.token)}::uuid[]
  ) as mine (tenant_id, slot, token)`;

const isHeld = (sql: SqlTx, leases: readonly RunLease[]) => sql`
  runs.tenant_id = mine.tenant_id and runs.slot_at = to_timestamp(mine.slot / 1000) and runs.lease_token = mine.token
  and runs.status = 'running' and ${slotBounds(sql, leases)}`;

/** Says again, as constants, which days are meant, so that the other partitions are left out of the plan. */
const slotBounds = (sql: SqlTx, runs: readonly { slotMs: EpochMs }[]) => {
  const slots = runs.map((run) => run.slotMs);
  return sql`runs.slot_at between to_timestamp(${Math.min(...slots)}::float8 / 1000) and to_timestamp(${Math.max(...slots)}::float8 / 1000)`;
};
