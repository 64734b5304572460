import type { Calendar, EpochMs } from '@tocsin/domain';
import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { runs } from '../tables/runs.ts';
import { type ScheduleRow, schedules } from '../tables/tenants.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Null: no such tenant; every tenant has one. */
export async function findSchedule(tx: DrizzleTx, tenantId: string): Promise<ScheduleRow | null> {
  const [row] = await tx.select().from(schedules).where(eq(schedules.tenantId, tenantId));
  return row ?? null;
}

/** What people said of when to look. `refreshSchedule` makes the slots follow. */
export async function setSchedule(tx: DrizzleTx, tenantId: string, settings: Omit<Calendar, 'phaseMs'>): Promise<void> {
  const { everyMs, debounceMs, timeZone, cron, activeHours, pausedUntilMs } = settings;
  await tx
    .update(schedules)
    .set({
      everyMs,
      debounceMs,
      timeZone,
      cron,
      activeHours: [...activeHours],
      pausedUntilMs,
      configuredAtMs: tocsinNow,
      updatedAtMs: tocsinNow,
    })
    .where(eq(schedules.tenantId, tenantId));
}

/** When the tenant's newest run that was evaluated ended; null: none was. */
export async function lastRunEnd(tx: DrizzleTx, tenantId: string): Promise<EpochMs | null> {
  const [row] = await tx
    .select({ endMs: runs.finishedAtMs })
    .from(runs)
    .where(and(eq(runs.tenantId, tenantId), inArray(runs.status, ['done', 'late'])))
    .orderBy(desc(runs.slotAtMs))
    .limit(1);
  return row?.endMs ?? null;
}

export async function databaseNow(tx: DrizzleTx): Promise<EpochMs> {
  const [row] = await tx.execute<{ now: number }>(sql`select (extract(epoch from tocsin_now()) * 1000)::float8 as now`);
  return row?.now ?? 0;
}
