import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type MaintenanceWindowRow, maintenanceWindows } from '../tables/muting.ts';
import type { DrizzleTx } from '../with-tenants.ts';

type Settings = Pick<MaintenanceWindowRow, 'name' | 'matchers' | 'timeZone' | 'start' | 'durationMs' | 'recurrence'>;

export async function insertMaintenanceWindow(
  tx: DrizzleTx,
  { actor, ...window }: Settings & { tenantId: string; id: string; actor: string },
): Promise<MaintenanceWindowRow> {
  const [row] = await tx
    .insert(maintenanceWindows)
    .values({ ...window, createdBy: actor, updatedBy: actor })
    .returning();
  if (row === undefined) throw new Error('a maintenance window was not stored');
  return row;
}

/** Keeps everybody else from changing the window, and from planning by it, until the transaction ends. */
export async function lockMaintenanceWindow(tx: DrizzleTx, tenantId: string, id: string): Promise<MaintenanceWindowRow | null> {
  const [row] = await tx
    .select()
    .from(maintenanceWindows)
    .where(and(eq(maintenanceWindows.tenantId, tenantId), eq(maintenanceWindows.id, id)))
    .for('update');
  return row ?? null;
}

/** Writes the whole of a window under lock. */
export async function updateMaintenanceWindow(
  tx: DrizzleTx,
  { tenantId, id, actor, ...settings }: Settings & { tenantId: string; id: string; actor: string },
): Promise<MaintenanceWindowRow> {
  const [row] = await tx
    .update(maintenanceWindows)
    .set({ ...settings, updatedBy: actor, updatedAtMs: tocsinNow, version: sql`${maintenanceWindows.version} + 1` })
    .where(and(eq(maintenanceWindows.tenantId, tenantId), eq(maintenanceWindows.id, id)))
    .returning();
  if (row === undefined) throw new Error('a maintenance window under lock is gone');
  return row;
}

export async function deleteMaintenanceWindow(tx: DrizzleTx, tenantId: string, id: string): Promise<void> {
  await tx.delete(maintenanceWindows).where(and(eq(maintenanceWindows.tenantId, tenantId), eq(maintenanceWindows.id, id)));
}

export async function findMaintenanceWindow(tx: DrizzleTx, tenantId: string, id: string): Promise<MaintenanceWindowRow | null> {
  const [row] = await tx
    .select()
    .from(maintenanceWindows)
    .where(and(eq(maintenanceWindows.tenantId, tenantId), eq(maintenanceWindows.id, id)));
  return row ?? null;
}

/** Newest first. @param beforeId windows older than the one of this id; null: from the newest */
export async function selectMaintenanceWindows(
  tx: DrizzleTx,
  tenantId: string,
  { beforeId, limit }: { beforeId: string | null; limit: number },
): Promise<MaintenanceWindowRow[]> {
  return tx
    .select()
    .from(maintenanceWindows)
    .where(and(eq(maintenanceWindows.tenantId, tenantId), beforeId === null ? undefined : lt(maintenanceWindows.id, beforeId)))
    .orderBy(desc(maintenanceWindows.id))
    .limit(limit);
}

export async function countMaintenanceWindows(tx: DrizzleTx, tenantId: string): Promise<number> {
  return tx.$count(maintenanceWindows, eq(maintenanceWindows.tenantId, tenantId));
}
