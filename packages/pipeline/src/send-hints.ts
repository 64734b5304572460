import { evaluateRuns, RUNS_PER_HINT, type Job, type Payload, type SendOptions } from '@tocsin/queue';
import type { PipelineDeps } from './pipeline-deps.ts';

type Hinting = Pick<PipelineDeps, 'queues' | 'logger' | 'metrics'>;

/** Few runs are shared out all the same: there may be so many evaluators with nothing to do. */
const SHARES = 8;

/** Hints runs, many at a time. */
export function hintRuns(deps: Hinting, runs: readonly { tenantId: string; runId: string }[], options?: SendOptions): Promise<boolean> {
  const perHint = Math.min(RUNS_PER_HINT, Math.ceil(runs.length / SHARES));
  const payloads: Payload<typeof evaluateRuns>[] = [];
  for (let at = 0; at < runs.length; at += perHint) payloads.push({ runs: runs.slice(at, at + perHint) });
  return sendHints(deps, evaluateRuns, payloads, options);
}

/** Sends hints and survives a queue that is away: the rows they point at are found by the sweep. False: it was away. */
export async function sendHints<J extends Job>(
  { queues, logger, metrics }: Hinting,
  job: J,
  payloads: readonly Payload<J>[],
  options: SendOptions = {},
): Promise<boolean> {
  if (payloads.length === 0) return true;
  try {
    await queues.producer(job).send(payloads, options);
    metrics.hints.inc({ queue: job.queue, result: 'sent' }, payloads.length);
    return true;
  } catch (error) {
    metrics.hints.inc({ queue: job.queue, result: 'failed' }, payloads.length);
    logger.warn({ queue: job.queue, hints: payloads.length, reason: error instanceof Error ? error.message : 'unknown' }, 'hints not sent');
    return false;
  }
}
