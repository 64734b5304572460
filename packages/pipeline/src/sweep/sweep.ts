import { takeDueWork, withPipeline } from '@tocsin/db';
import { deliver, dispatchTrigger, evaluateRun } from '@tocsin/queue';
import { fireReminders } from '../dispatch/fire-reminders.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { sendHints } from '../send-hints.ts';

const ROWS_PER_KIND = 1_000;

/** Hints again what is due, unfinished and in nobody's hands: hints may vanish, rows do not. */
export async function sweep(deps: PipelineDeps): Promise<void> {
  const due = await withPipeline(deps.db, (sql) => takeDueWork(sql, ROWS_PER_KIND));
  // A hint that is known may sit with a process that has died.
  const again = { evenIfKnown: true };
  await Promise.all([
    sendHints(deps, evaluateRun, due.runs.map(({ tenantId, id }) => ({ tenantId, runId: id })), again),
    sendHints(deps, dispatchTrigger, due.triggers.map(({ tenantId, id }) => ({ tenantId, triggerId: id })), again),
    sendHints(deps, deliver, due.deliveries.map(({ tenantId, id }) => ({ tenantId, deliveryId: id })), again),
    fireReminders(deps, due.alertTimers),
  ]);
  deps.metrics.hints.inc({ queue: 'evaluations', result: 'swept' }, due.runs.length);
  deps.metrics.hints.inc({ queue: 'notifications', result: 'swept' }, due.triggers.length);
  deps.metrics.hints.inc({ queue: 'deliveries', result: 'swept' }, due.deliveries.length);
}
