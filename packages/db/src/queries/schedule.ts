import { eq } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type ScheduleRow, schedules } from '../tables/tenants.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Null: no such tenant; every tenant has one. */
export async function findSchedule(tx: DrizzleTx, tenantId: string): Promise<ScheduleRow | null> {
  const [row] = await tx.select().from(schedules).where(eq(schedules.tenantId, tenantId));
  return row ?? null;
}

/** How often rules without an `every` of their own are looked at. `refreshSchedule` makes the slots follow. */
export async function setScheduleEvery(tx: DrizzleTx, tenantId: string, everyMs: number): Promise<void> {
  await tx.update(schedules).set({ everyMs, updatedAtMs: tocsinNow }).where(eq(schedules.tenantId, tenantId));
}
