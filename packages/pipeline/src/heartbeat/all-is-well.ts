import { type DrillRow, lastScheduledDrill, readStanding, type Standing, withPipeline, withTenant, type Database } from '@tocsin/db';
import { PLATFORM_TENANT_ID } from '@tocsin/domain';

/** What is later than that does not come by itself in the course of things. */
const LATE_MS = 60_000;

/** Why the outside is not told that all is well; empty: it is. */
export async function troubles(db: Database): Promise<string[]> {
  const standing = await withPipeline(db, (sql) => readStanding(sql));
  const drill = await withTenant(db, PLATFORM_TENANT_ID, (tx) => lastScheduledDrill(tx, PLATFORM_TENANT_ID));
  return troublesOf(standing, drill);
}

/** @param drill the newest one of the platform's schedule that is over; null: there is none */
export function troublesOf(standing: Standing, drill: Pick<DrillRow, 'status'> | null): string[] {
  const { slotsLateMs, runsAgeMs, triggersAgeMs, deliveriesLateMs } = standing;
  const late: [number, string][] = [
    [slotsLateMs, 'slots are late'],
    [runsAgeMs, 'runs wait to be evaluated'],
    [triggersAgeMs, 'the outbox is not drained'],
    [deliveriesLateMs, 'deliveries are overdue'],
  ];
  return [
    ...late.flatMap(([ms, words]) => (ms > LATE_MS ? [`${words}: ${Math.round(ms / 1_000)} s`] : [])),
    ...(drill?.status === 'failed' ? ['the latest scheduled fire drill failed'] : []),
  ];
}
