import type { EpochMs, RuleSpec } from '@tocsin/domain';
import { and, desc, eq, lt, ne } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type DrillRow, drills, type DrillScheduleRow, drillSchedules, type DrillStages } from '../tables/drills.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';
import { insertRule } from './rules.ts';

export interface DrillRef {
  tenantId: string;
  id: string;
}

/** Stores a drill with its rule, which nobody sees in a list and no slot is made for. */
export async function insertDrill(
  tx: DrizzleTx,
  drill: Pick<DrillRow, 'tenantId' | 'id' | 'channels' | 'severity' | 'isScheduled' | 'ruleId' | 'startedBy'>,
  spec: RuleSpec,
): Promise<void> {
  const { tenantId, ruleId, startedBy } = drill;
  const rule = await insertRule(tx, { tenantId, id: ruleId, spec, enabled: true, actor: startedBy });
  if (rule === null) throw new Error('the key of a drill is taken');
  await tx.insert(drills).values(drill);
}

/** Notes that the event of a drill is stored, in the transaction that does so. False: it is already, or the drill is over. */
export async function noteDrillStored(sql: SqlTx, { tenantId, id }: DrillRef): Promise<boolean> {
  const rows = await sql`
    update drills set stored_at = tocsin_now()
    where tenant_id = ${tenantId} and id = ${id} and stored_at is null and status = 'running' returning id`;
  return rows.length > 0;
}

export async function noteDrillRun(tx: DrizzleTx, { tenantId, id }: DrillRef, runId: string): Promise<void> {
  await tx.update(drills).set({ runId }).where(oneDrill(tenantId, id));
}

/** Null: there is none, or somebody has its row. */
export async function lockRunningDrill(tx: DrizzleTx, { tenantId, id }: DrillRef): Promise<DrillRow | null> {
  const [row] = await tx
    .select()
    .from(drills)
    .where(and(oneDrill(tenantId, id), eq(drills.status, 'running')))
    .for('no key update', { skipLocked: true });
  return row ?? null;
}

export async function finishDrill(
  tx: DrizzleTx,
  { tenantId, id }: DrillRef,
  status: 'passed' | 'failed',
  report: DrillStages,
): Promise<void> {
  await tx.update(drills).set({ status, report, finishedAtMs: tocsinNow }).where(oneDrill(tenantId, id));
}

export async function findDrill(tx: DrizzleTx, tenantId: string, id: string): Promise<DrillRow | null> {
  const [row] = await tx.select().from(drills).where(oneDrill(tenantId, id));
  return row ?? null;
}

/** How many are under way. */
export async function countRunningDrills(tx: DrizzleTx, tenantId: string): Promise<number> {
  return tx.$count(drills, and(eq(drills.tenantId, tenantId), eq(drills.status, 'running')));
}

/** Newest first. */
export async function selectDrills(tx: DrizzleTx, tenantId: string, page: { beforeId: string | null; limit: number }): Promise<DrillRow[]> {
  return tx
    .select()
    .from(drills)
    .where(and(eq(drills.tenantId, tenantId), page.beforeId === null ? undefined : lt(drills.id, page.beforeId)))
    .orderBy(desc(drills.id))
    .limit(page.limit);
}

/** The newest drill of a schedule that is over; null: there is none. */
export async function lastScheduledDrill(tx: DrizzleTx, tenantId: string): Promise<DrillRow | null> {
  const [row] = await tx
    .select()
    .from(drills)
    .where(and(eq(drills.tenantId, tenantId), eq(drills.isScheduled, true), ne(drills.status, 'running')))
    .orderBy(desc(drills.id))
    .limit(1);
  return row ?? null;
}

const oneDrill = (tenantId: string, id: string) => and(eq(drills.tenantId, tenantId), eq(drills.id, id));

export async function findDrillSchedule(tx: DrizzleTx, tenantId: string): Promise<DrillScheduleRow | null> {
  const [row] = await tx.select().from(drillSchedules).where(eq(drillSchedules.tenantId, tenantId));
  return row ?? null;
}

export async function saveDrillSchedule(tx: DrizzleTx, row: Omit<DrillScheduleRow, 'updatedAtMs'>): Promise<void> {
  const { cron, timeZone, channels, severity, nextAtMs, updatedBy } = row;
  await tx
    .insert(drillSchedules)
    .values(row)
    .onConflictDoUpdate({
      target: drillSchedules.tenantId,
      set: { cron, timeZone, channels, severity, nextAtMs, updatedBy, updatedAtMs: tocsinNow },
    });
}

export async function deleteDrillSchedule(tx: DrizzleTx, tenantId: string): Promise<void> {
  await tx.delete(drillSchedules).where(eq(drillSchedules.tenantId, tenantId));
}

/** Moves a schedule on that stands where it was read. False: another has done so. */
export async function advanceDrillSchedule(tx: DrizzleTx, tenantId: string, fromMs: EpochMs, nextAtMs: EpochMs | null): Promise<boolean> {
  const moved = await tx
    .update(drillSchedules)
    .set({ nextAtMs })
    .where(and(eq(drillSchedules.tenantId, tenantId), eq(drillSchedules.nextAtMs, fromMs)))
    .returning({ tenantId: drillSchedules.tenantId });
  return moved.length > 0;
}

/** Drills under way, the oldest first. Needs no tenant set. */
export async function runningDrills(sql: SqlTx, limit: number): Promise<DrillRef[]> {
  return sql<DrillRef[]>`select tenant_id as "tenantId", id from running_drills(${limit}::int)`;
}

/** Tenants whose next drill is due. Needs no tenant set. */
export async function dueDrillSchedules(sql: SqlTx, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`select due_drill_schedules(${limit}::int) as id`;
  return rows.map(({ id }) => id);
}
