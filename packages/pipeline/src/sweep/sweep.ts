import { takeDueWork, withPipeline } from '@tocsin/db';
import { deliver, dispatchTrigger } from '@tocsin/queue';
import { fireReminders } from '../dispatch/fire-reminders.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { hintRuns, sendHints } from '../send-hints.ts';

const ROWS_PER_KIND = 1_000;

type Outcome = 'nothing_due' | 'taken' | 'refused';

/**
 * Hints again what is due, unfinished and in nobody's hands: hints may vanish, rows do not. Each row waits twice as long for its next hint,
 * so `limit` bounds how many a kind are spent on a queue that may not take them.
 */
export async function sweep(deps: PipelineDeps, limit: number = ROWS_PER_KIND): Promise<Outcome> {
  const due = await withPipeline(deps.db, (sql) => takeDueWork(sql, limit));
  // A hint that is known may sit with a process that has died.
  const again = { evenIfKnown: true };
  const [, ...taken] = await Promise.all([
    fireReminders(deps, due.alertTimers),
    hintRuns(
      deps,
      due.runs.map(({ tenantId, id }) => ({ tenantId, runId: id })),
      again,
    ),
    sendHints(
      deps,
      dispatchTrigger,
      due.triggers.map(({ tenantId, id }) => ({ tenantId, triggerId: id })),
      again,
    ),
    sendHints(
      deps,
      deliver,
      due.deliveries.map(({ tenantId, id }) => ({ tenantId, deliveryId: id })),
      again,
    ),
  ]);
  deps.metrics.hints.inc({ queue: 'evaluations', result: 'swept' }, due.runs.length);
  deps.metrics.hints.inc({ queue: 'notifications', result: 'swept' }, due.triggers.length);
  deps.metrics.hints.inc({ queue: 'deliveries', result: 'swept' }, due.deliveries.length);
  if (taken.includes(false)) return 'refused';
  return due.runs.length + due.triggers.length + due.deliveries.length === 0 ? 'nothing_due' : 'taken';
}

/**
 * `sweep`, to be called again and again. A queue that refused hints is given none until it answers, and then one a kind, so that rows do
 * not wait ever longer for a queue that is away.
 */
export function openSweep(deps: PipelineDeps): () => Promise<void> {
  let limit = ROWS_PER_KIND;
  return async () => {
    if (limit < ROWS_PER_KIND && !(await answers(deps))) return;
    const outcome = await sweep(deps, limit);
    if (outcome !== 'nothing_due') limit = outcome === 'taken' ? ROWS_PER_KIND : 1;
  };
}

const answers = ({ queues }: PipelineDeps): Promise<boolean> =>
  queues.ping().then(
    () => true,
    () => false,
  );
