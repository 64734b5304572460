import { takeDueWork, withPipeline, type DueRow, type DueWork } from '@tocsin/db';
import { deliver, dispatchTrigger, type Job, type Payload, type QueueName } from '@tocsin/queue';
import { fireTimers } from '../dispatch/fire-timers.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { hintRuns, sendHints } from '../send-hints.ts';

const ROWS_PER_KIND = 1_000;

interface Swept {
  of: keyof DueWork;
  hint: (deps: PipelineDeps, rows: readonly DueRow[]) => Promise<boolean>;
}

/** A hint that is known may sit with a process that has died. */
const AGAIN = { evenIfKnown: true };

const by =
  <J extends Job>(job: J, payloadOf: (row: DueRow) => Payload<J>): Swept['hint'] =>
  (deps, rows) =>
    sendHints(deps, job, rows.map(payloadOf), AGAIN);

/** The rows that each queue's hints point at, and how they are hinted again. Null: they point at none, and the clock asks again anyway. */
const SWEPT: Readonly<Record<QueueName, Swept | null>> = {
  evaluations: {
    of: 'runs',
    hint: (deps, rows) =>
      hintRuns(
        deps,
        rows.map(({ tenantId, id }) => ({ tenantId, runId: id })),
        AGAIN,
      ),
  },
  notifications: { of: 'triggers', hint: by(dispatchTrigger, ({ tenantId, id }) => ({ tenantId, triggerId: id })) },
  deliveries: { of: 'deliveries', hint: by(deliver, ({ tenantId, id }) => ({ tenantId, deliveryId: id })) },
  maintenance: null,
};

type Outcome = 'nothing_due' | 'taken' | 'refused';

/**
 * Hints again what is due, unfinished and in nobody's hands: hints may vanish, rows do not. Each row waits twice as long for its next hint,
 * so `limit` bounds how many a kind are spent on a queue that may not take them.
 */
export async function sweep(deps: PipelineDeps, limit: number = ROWS_PER_KIND): Promise<Outcome> {
  const due = await withPipeline(deps.db, (sql) => takeDueWork(sql, limit));
  const found = Object.entries(SWEPT).flatMap(([queue, swept]) =>
    swept === null ? [] : [{ queue, rows: due[swept.of], hint: swept.hint }],
  );
  const [, ...taken] = await Promise.all([fireTimers(deps, due.alertTimers), ...found.map(({ rows, hint }) => hint(deps, rows))]);
  for (const { queue, rows } of found) deps.metrics.hints.inc({ queue, result: 'swept' }, rows.length);
  if (taken.includes(false)) return 'refused';
  return found.every(({ rows }) => rows.length === 0) ? 'nothing_due' : 'taken';
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
