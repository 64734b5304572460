import {
  closeAlertsOfRule,
  deleteRule,
  type DrillRef,
  type DrillRow,
  type DrillStages,
  findDrill,
  finishDrill,
  databaseNow,
  databaseTime,
  insertSegments,
  lockRunningDrill,
  noteDrillRun,
  noteDrillStored,
  readDrillStages,
  type SqlTx,
  withTenant,
  withTenantsSql,
} from '@tocsin/db';
import { DRILL_EVENT } from '@tocsin/domain';
import { encodeOwnEvents } from '@tocsin/events';
import { dispatchTrigger } from '@tocsin/queue';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { queueRun } from '../schedule/queue-run.ts';
import { sendHints } from '../send-hints.ts';

/** What has not arrived by then has not passed the drill, though it may arrive yet. */
const DEADLINE_MS = 120_000;
const OVER = new Set<string | null>(['delivered', 'dead', 'suppressed']);

/** Does what is next for a drill that is under way: its event, its run, or its end. Any number at once do no harm. */
export async function moveDrill(deps: PipelineDeps, ref: DrillRef): Promise<void> {
  const { db } = deps;
  const { tenantId } = ref;
  await withTenantsSql(db, [tenantId], (sql) => storeEvent(sql, ref));
  const drill = await withTenant(db, tenantId, (tx) => findDrill(tx, tenantId, ref.id));
  if (drill === null || drill.status !== 'running') return;
  if (drill.runId === null) {
    // Too many of its runs wait already: the next look tries again, until the drill has failed for that.
    const run = await queueRun(deps, { tenantId, kind: 'manual', ruleIds: [drill.ruleId], actor: null });
    if (run !== null && run !== 'busy') await withTenant(db, tenantId, (tx) => noteDrillRun(tx, ref, run.id));
  }
  await finishIfOver(deps, ref);
}

/** Just before the run that is to find it. */
async function storeEvent(sql: SqlTx, ref: DrillRef): Promise<void> {
  if (!(await noteDrillStored(sql, ref))) return;
  const nowMs = await databaseTime(sql);
  const event = { tsMs: nowMs - 1, name: DRILL_EVENT, dims: { drill: ref.id }, measures: { value: 1 } };
  await insertSegments(sql, encodeOwnEvents(ref.tenantId, [event]));
}

/** Its alert ends with it, so that whoever was told hears that it is over. */
async function finishIfOver(deps: PipelineDeps, ref: DrillRef): Promise<void> {
  const { tenantId } = ref;
  const finished = await withTenant(deps.db, tenantId, async (tx) => {
    const drill = await lockRunningDrill(tx, ref);
    if (drill === null) return null;
    const stages = await readDrillStages(tx, drill);
    const status = outcomeOf(drill, stages, await databaseNow(tx));
    if (status === null) return null;
    await finishDrill(tx, ref, status, stages);
    const triggerIds = await closeAlertsOfRule(tx, tenantId, drill.ruleId, 'drill_over');
    await deleteRule(tx, tenantId, drill.ruleId);
    return { status, stages, triggerIds };
  });
  if (finished === null) return;
  const { status, triggerIds, stages } = finished;
  deps.metrics.drills.inc({ result: status });
  const channels = stages.channels.map((each) => `${each.channel}: ${each.status ?? 'not planned'}`);
  deps.logger[status === 'passed' ? 'info' : 'warn'](
    { tenantId, drillId: ref.id, arrow: `running → ${status}`, channels },
    'fire drill over',
  );
  await sendHints(
    deps,
    dispatchTrigger,
    triggerIds.map((triggerId) => ({ tenantId, triggerId })),
  );
}

/** Null: it goes on. */
function outcomeOf({ startedAtMs }: DrillRow, { channels, silent }: DrillStages, nowMs: number): 'passed' | 'failed' | null {
  if (channels.every(({ status }) => status === 'delivered')) return 'passed';
  const isOver = silent !== null || channels.every(({ status }) => OVER.has(status)) || nowMs - startedAtMs >= DEADLINE_MS;
  return isOver ? 'failed' : null;
}
