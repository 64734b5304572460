import { type MetricDefinition, nextSlot, phaseOf, type SavedMetrics } from '@tocsin/domain';
import { and, asc, count, desc, eq, inArray, lt, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type MetricDefinitionRow, metricDefinitions } from '../tables/metric-definitions.ts';
import type { DrizzleTx } from '../with-tenants.ts';

export interface NewMetricDefinition extends MetricDefinition {
  tenantId: string;
  id: string;
  enabled: boolean;
  actor: string;
}

/** Its first instant is the next of the tenant's grid. Null: its key is taken. */
export async function insertMetricDefinition(
  tx: DrizzleTx,
  { actor, ...definition }: NewMetricDefinition,
): Promise<MetricDefinitionRow | null> {
  const [row] = await tx
    .insert(metricDefinitions)
    .values({ ...definition, createdBy: actor, updatedBy: actor })
    .onConflictDoNothing({ target: [metricDefinitions.tenantId, metricDefinitions.key] })
    .returning();
  return row === undefined ? null : startAnew(tx, row);
}

/** Stores what people changed as the next version and forgets earlier failures. The caller holds the row's lock; its key is for ever. */
export async function updateMetricDefinition(
  tx: DrizzleTx,
  before: MetricDefinitionRow,
  { name, unit, query, everyMs, evaluationDelayMs, enabled, actor }: Omit<NewMetricDefinition, 'tenantId' | 'id' | 'key'>,
): Promise<MetricDefinitionRow> {
  const [row] = await tx
    .update(metricDefinitions)
    .set({
      name,
      unit,
      query,
      everyMs,
      evaluationDelayMs,
      enabled,
      failures: 0,
      lastError: null,
      heldUntilMs: null,
      version: sql`${metricDefinitions.version} + 1`,
      updatedAtMs: tocsinNow,
      updatedBy: actor,
    })
    .where(oneDefinition(before.tenantId, before.key))
    .returning();
  if (row === undefined) throw new Error('a metric definition under lock is gone');
  return everyMs === before.everyMs && enabled === before.enabled ? row : startAnew(tx, row);
}

/** Never at an instant that is recorded, whatever the grid was before. */
async function startAnew(
  tx: DrizzleTx,
  { tenantId, key, enabled, everyMs, updatedAtMs, lastRunAtMs }: MetricDefinitionRow,
): Promise<MetricDefinitionRow> {
  const nextDueAtMs = enabled ? nextSlot(Math.max(updatedAtMs, lastRunAtMs ?? 0), everyMs, phaseOf(tenantId)) : null;
  const [row] = await tx.update(metricDefinitions).set({ nextDueAtMs }).where(oneDefinition(tenantId, key)).returning();
  if (row === undefined) throw new Error('a metric definition that was just written is gone');
  return row;
}

export async function deleteMetricDefinition(tx: DrizzleTx, tenantId: string, key: string): Promise<void> {
  await tx.delete(metricDefinitions).where(oneDefinition(tenantId, key));
}

export async function findMetricDefinition(tx: DrizzleTx, tenantId: string, key: string): Promise<MetricDefinitionRow | null> {
  const [row] = await tx.select().from(metricDefinitions).where(oneDefinition(tenantId, key));
  return row ?? null;
}

/** Keeps everybody else from changing it, and rules from naming it, until the transaction ends. */
export async function lockMetricDefinition(tx: DrizzleTx, tenantId: string, key: string): Promise<MetricDefinitionRow | null> {
  const [row] = await tx.select().from(metricDefinitions).where(oneDefinition(tenantId, key)).for('update');
  return row ?? null;
}

/** Newest first. `beforeId`: those older than the one of this id; null: from the newest. */
export async function selectMetricDefinitions(
  tx: DrizzleTx,
  tenantId: string,
  { beforeId, limit }: { beforeId: string | null; limit: number },
): Promise<MetricDefinitionRow[]> {
  return tx
    .select()
    .from(metricDefinitions)
    .where(and(eq(metricDefinitions.tenantId, tenantId), beforeId === null ? undefined : lt(metricDefinitions.id, beforeId)))
    .orderBy(desc(metricDefinitions.id))
    .limit(limit);
}

export async function countMetricDefinitions(tx: DrizzleTx, tenantId: string): Promise<number> {
  // Two at once: the second counts what the first has made.
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`metric_definitions ${tenantId}`}::text, 0))`);
  const [row] = await tx.select({ definitions: count() }).from(metricDefinitions).where(eq(metricDefinitions.tenantId, tenantId));
  return row?.definitions ?? 0;
}

/** What rules have to know of the tenant's own metrics, by key. */
export async function savedMetrics(tx: DrizzleTx, tenantId: string): Promise<SavedMetrics> {
  const rows = await namesOfMetricDefinitions(tx, tenantId);
  return new Map(rows.map(({ key, unit }) => [key, { unit }]));
}

/** By key. */
export async function namesOfMetricDefinitions(
  tx: DrizzleTx,
  tenantId: string,
): Promise<Pick<MetricDefinitionRow, 'key' | 'name' | 'unit'>[]> {
  const { key, name, unit } = metricDefinitions;
  return tx.select({ key, name, unit }).from(metricDefinitions).where(eq(metricDefinitions.tenantId, tenantId)).orderBy(asc(key));
}

/** Those of `keys` that name a definition; none of these can be deleted, or get another unit, until the transaction ends. */
export async function lockMetricKeys(tx: DrizzleTx, tenantId: string, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await tx
    .select({ key: metricDefinitions.key })
    .from(metricDefinitions)
    .where(and(eq(metricDefinitions.tenantId, tenantId), inArray(metricDefinitions.key, [...keys])))
    .orderBy(metricDefinitions.key)
    .for('key share');
  return rows.map(({ key }) => key);
}

const oneDefinition = (tenantId: string, key: string) => and(eq(metricDefinitions.tenantId, tenantId), eq(metricDefinitions.key, key));
