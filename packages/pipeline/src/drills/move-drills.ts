import {
  advanceDrillSchedule,
  databaseNow,
  dueDrillSchedules,
  findDrillSchedule,
  runningDrills,
  withPipeline,
  withTenant,
} from '@tocsin/db';
import { readCron } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { moveDrill } from './move-drill.ts';
import { startDrill } from './start-drill.ts';

const AT_ONCE = 100;

/** Begins the drills whose time has come, each once, and does what is next for those under way. One that fails to be moved waits for the next look. */
export async function moveDrills(deps: PipelineDeps): Promise<void> {
  const { db, logger } = deps;
  const due = await withPipeline(db, (sql) => dueDrillSchedules(sql, AT_ONCE));
  for (const tenantId of due) {
    await startDue(deps, tenantId).catch((error: unknown) =>
      logger.error({ err: error, tenantId }, 'a scheduled fire drill could not begin'),
    );
  }
  for (const ref of await withPipeline(db, (sql) => runningDrills(sql, AT_ONCE))) {
    await moveDrill(deps, ref).catch((error: unknown) =>
      logger.error({ err: error, tenantId: ref.tenantId, drillId: ref.id }, 'a fire drill could not be moved on'),
    );
  }
}

/** Of instants that were missed, one drill is enough. */
async function startDue(deps: PipelineDeps, tenantId: string): Promise<void> {
  const schedule = await withTenant(deps.db, tenantId, async (tx) => {
    const [found, nowMs] = [await findDrillSchedule(tx, tenantId), await databaseNow(tx)];
    if (found === null || found.nextAtMs === null || found.nextAtMs > nowMs) return null;
    const nextMs = readCron(found.cron, found.timeZone).after(nowMs);
    return (await advanceDrillSchedule(tx, tenantId, found.nextAtMs, nextMs)) ? found : null;
  });
  if (schedule === null) return;
  const { channels, severity } = schedule;
  await startDrill(deps, { tenantId, channels, severity, isScheduled: true, actor: 'drill-schedule' });
}
