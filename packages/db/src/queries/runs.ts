import type { EpochMs } from '@tocsin/domain';
import type { RunKind, RunStatus } from '../tables/runs.ts';
import type { SqlTx } from '../with-tenants.ts';
import { slotBounds } from './slot-bounds.ts';

export interface NewRun {
  tenantId: string;
  id: string;
  slotMs: EpochMs;
  /** Slot of the tenant's run before; null: its first. */
  previousSlotMs: EpochMs | null;
  /** `skipped` rows stand for slots that were missed and are terminal from the start. */
  skipped: { reason: string; fromMs: EpochMs; toMs: EpochMs; count: number } | null;
  /** Older slots that it stands for; null: none. */
  covered: { fromMs: EpochMs; count: number } | null;
}

/** Answers the ids of the runs that are new; a slot that has a row already keeps it. */
export async function insertRuns(sql: SqlTx, runs: readonly NewRun[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    insert into runs (tenant_id, slot_at, id, previous_slot_at, status, reason, skipped_from, skipped_to, skipped_count, finished_at,
                      covered_from, covered_count)
    select tenant_id, to_timestamp(slot / 1000), id, to_timestamp(previous / 1000),
           case when skipped_count is null then 'queued' else 'skipped' end, reason,
           to_timestamp(skipped_from / 1000), to_timestamp(skipped_to / 1000), skipped_count,
           case when skipped_count is null then null else tocsin_now() end, to_timestamp(covered_from / 1000), covered_count
    from unnest(
      ${runs.map((run) => run.tenantId)}::uuid[], ${runs.map((run) => run.slotMs)}::float8[], ${runs.map((run) => run.id)}::uuid[],
      ${runs.map((run) => run.previousSlotMs)}::float8[], ${runs.map((run) => run.skipped?.reason ?? null)}::text[],
      ${runs.map((run) => run.skipped?.fromMs ?? null)}::float8[], ${runs.map((run) => run.skipped?.toMs ?? null)}::float8[],
      ${runs.map((run) => run.skipped?.count ?? null)}::int[], ${runs.map((run) => run.covered?.fromMs ?? null)}::float8[],
      ${runs.map((run) => run.covered?.count ?? null)}::int[]
    ) as new (tenant_id, slot, id, previous, reason, skipped_from, skipped_to, skipped_count, covered_from, covered_count)
    on conflict (tenant_id, slot_at) do nothing
    returning id`;
  return rows.map((row) => row.id);
}

/** A run that no slot of the schedule asks for. */
export interface ExtraRun {
  tenantId: string;
  id: string;
  slotMs: EpochMs;
  kind: Exclude<RunKind, 'scheduled'>;
  /** Null: all that are enabled. */
  ruleIds: readonly string[] | null;
}

/** The slot must be later than that of any run of the tenant: `lockSchedule` says which is free. One that is to come is not swept before. */
export async function insertExtraRun(sql: SqlTx, { tenantId, id, slotMs, kind, ruleIds }: ExtraRun): Promise<void> {
  await sql`
    insert into runs (tenant_id, slot_at, id, status, kind, rule_ids, hinted_at)
    values (${tenantId}, to_timestamp(${slotMs}::float8 / 1000), ${id}, 'queued', ${kind}, ${ruleIds as string[] | null}::uuid[],
            greatest(tocsin_now(), to_timestamp(${slotMs}::float8 / 1000)))`;
}

export interface RunOutcome {
  tenantId: string;
  id: string;
  slotMs: EpochMs;
  status: RunStatus;
  /** Null: it has not been evaluated. */
  rules: number | null;
  triggers: number | null;
}

/** How far these runs have come. */
export async function readRunOutcomes(sql: SqlTx, runs: readonly { tenantId: string; slotMs: EpochMs }[]): Promise<RunOutcome[]> {
  return sql<RunOutcome[]>`
    select runs.tenant_id as "tenantId", runs.id, runs.slot_at as "slotMs", runs.status, runs.rules, runs.triggers
    from unnest(${runs.map((run) => run.tenantId)}::uuid[], ${runs.map((run) => run.slotMs)}::float8[]) as wanted (tenant_id, slot)
    join runs on runs.tenant_id = wanted.tenant_id and runs.slot_at = to_timestamp(wanted.slot / 1000) and ${slotBounds(sql, runs)}`;
}

/** How many runs of each of these tenants have not ended; a tenant without any is absent. */
export async function countUnfinishedRuns(sql: SqlTx, tenantIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql<{ tenantId: string; runs: number }[]>`
    select tenant_id as "tenantId", count(*) as runs from runs
    where tenant_id = any(${tenantIds as string[]}::uuid[]) and status in ('queued', 'running')
    group by tenant_id`;
  return new Map(rows.map(({ tenantId, runs }) => [tenantId, runs]));
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
  kind: RunKind;
  /** Of the schedule: the newest that was evaluated before this run. Null: none. */
  observedSlotMs: EpochMs | null;
  /** Between its tenant's slots. */
  slotEveryMs: number;
  rules: number;
  series: number;
  triggers: number;
}

/** The fence: answers the tenants whose run was still ours and is now `done`, or `late` when it ended after its tenant's next slot. */
export async function finishRuns(sql: SqlTx, runs: readonly FinishedRun[]): Promise<{ tenantId: string; status: 'done' | 'late' }[]> {
  return sql<{ tenantId: string; status: 'done' | 'late' }[]>`
    update runs
    set status = case when tocsin_now() > runs.slot_at + make_interval(secs => mine.slot_every_ms / 1000) then 'late' else 'done' end,
        reason = null, finished_at = tocsin_now(), lease_token = null, lease_until = null, rules = mine.rules, series = mine.series, triggers = mine.triggers,
        scheduled_slot_at = to_timestamp(mine.scheduled_slot / 1000)
    from unnest(
      ${runs.map((run) => run.tenantId)}::uuid[], ${runs.map((run) => run.slotMs)}::float8[], ${runs.map((run) => run.token)}::uuid[],
      ${runs.map((run) => run.slotEveryMs)}::float8[], ${runs.map((run) => run.rules)}::int[], ${runs.map((run) => run.series)}::int[],
      ${runs.map((run) => run.triggers)}::int[], ${runs.map(({ kind, observedSlotMs }) => (kind === 'scheduled' ? null : observedSlotMs))}::float8[]
    ) as mine (tenant_id, slot, token, slot_every_ms, rules, series, triggers, scheduled_slot)
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

/** The earliest run that waits, of each of these tenants that has one. None waits from before `afterMs`. */
export async function waitingRuns(
  sql: SqlTx,
  tenantIds: readonly string[],
  afterMs: EpochMs,
): Promise<{ tenantId: string; runId: string }[]> {
  return sql<{ tenantId: string; runId: string }[]>`
    select distinct on (tenant_id) tenant_id as "tenantId", id as "runId" from runs
    where tenant_id = any(${tenantIds as string[]}::uuid[]) and status = 'queued' and slot_at > to_timestamp(${afterMs}::float8 / 1000)
    order by tenant_id, slot_at`;
}

const leased = (sql: SqlTx, leases: readonly RunLease[]) => sql`
  unnest(
    ${leases.map((lease) => lease.tenantId)}::uuid[], ${leases.map((lease) => lease.slotMs)}::float8[], ${leases.map((lease) => lease.token)}::uuid[]
  ) as mine (tenant_id, slot, token)`;

const isHeld = (sql: SqlTx, leases: readonly RunLease[]) => sql`
  runs.tenant_id = mine.tenant_id and runs.slot_at = to_timestamp(mine.slot / 1000) and runs.lease_token = mine.token
  and runs.status = 'running' and ${slotBounds(sql, leases)}`;
