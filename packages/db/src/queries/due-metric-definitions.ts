import type { EpochMs } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';
import type { DueRow } from './due-work.ts';

export interface DueMetricDefinition extends DueRow {
  key: string;
  /** As stored. */
  query: unknown;
  version: number;
  everyMs: number;
  evaluationDelayMs: number;
  /** The oldest instant that is not recorded yet. */
  dueMs: EpochMs;
  nowMs: EpochMs;
}

/** Takes up to `limit` definitions with an instant that has come and in nobody's hands: for half a minute nobody else gets them. Needs no tenant set. */
export async function takeDueMetricDefinitions(sql: SqlTx, limit: number): Promise<DueRow[]> {
  return sql<DueRow[]>`select tenant_id as "tenantId", id from due_metric_definitions(${limit}::int)`;
}

/** Those of them that are still due. */
export async function readDueMetricDefinitions(sql: SqlTx, due: readonly DueRow[]): Promise<DueMetricDefinition[]> {
  return sql<DueMetricDefinition[]>`
    select m.tenant_id as "tenantId", m.id, m.key, m.query, m.version, m.every_ms as "everyMs", m.evaluation_delay_ms as "evaluationDelayMs",
           m.next_due_at as "dueMs", tocsin_now() as "nowMs"
    from metric_definitions m
    where m.tenant_id = any(${[...new Set(due.map(({ tenantId }) => tenantId))]}::uuid[]) and m.id = any(${due.map(({ id }) => id)}::uuid[])
      and m.next_due_at <= tocsin_now()`;
}

export interface RecordedInstant {
  definition: DueMetricDefinition;
  /** The newest one due. */
  instantMs: EpochMs;
  nextDueMs: EpochMs;
  series: number;
  dropped: number;
}

/**
 * Notes that the newest due instants are recorded, and answers for whose definitions: those that nobody recorded or changed since they were read.
 * Whoever writes their values in the same transaction writes them once.
 */
export async function advanceMetricDefinitions(sql: SqlTx, recorded: readonly RecordedInstant[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    update metric_definitions m
    set next_due_at = to_timestamp(new.next_due / 1000), last_run_at = to_timestamp(new.instant / 1000), last_series = new.series,
        last_dropped = new.dropped, failures = 0, last_error = null, held_until = null
    from unnest(
      ${recorded.map(({ definition }) => definition.tenantId)}::uuid[], ${recorded.map(({ definition }) => definition.id)}::uuid[],
      ${recorded.map(({ definition }) => definition.version)}::int[], ${recorded.map(({ definition }) => definition.dueMs)}::float8[],
      ${recorded.map(({ instantMs }) => instantMs)}::float8[], ${recorded.map(({ nextDueMs }) => nextDueMs)}::float8[],
      ${recorded.map(({ series }) => series)}::int[], ${recorded.map(({ dropped }) => dropped)}::int[]
    ) as new (tenant_id, id, version, due, instant, next_due, series, dropped)
    where m.tenant_id = new.tenant_id and m.id = new.id and m.version = new.version and m.next_due_at = to_timestamp(new.due / 1000)
    returning m.id`;
  return rows.map(({ id }) => id);
}

/** Holds them back, 10 s doubling to an hour, unless they were recorded or changed meanwhile. The instant stays due until a newer one takes its place. */
export async function holdBackMetricDefinitions(
  sql: SqlTx,
  failed: readonly { definition: DueMetricDefinition; error: string }[],
): Promise<void> {
  await sql`
    update metric_definitions m
    set failures = m.failures + 1, last_error = new.error,
        held_until = tocsin_now() + make_interval(secs => least(10 * power(2, least(m.failures, 10)), 3600))
    from unnest(
      ${failed.map(({ definition }) => definition.tenantId)}::uuid[], ${failed.map(({ definition }) => definition.id)}::uuid[],
      ${failed.map(({ definition }) => definition.version)}::int[], ${failed.map(({ definition }) => definition.dueMs)}::float8[],
      ${failed.map(({ error }) => error)}::text[]
    ) as new (tenant_id, id, version, due, error)
    where m.tenant_id = new.tenant_id and m.id = new.id and m.version = new.version and m.next_due_at = to_timestamp(new.due / 1000)`;
}
