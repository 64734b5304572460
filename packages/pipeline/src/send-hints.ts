import type { JobDefinition, Payload, SendOptions } from '@tocsin/queue';
import type { PipelineDeps } from './pipeline-deps.ts';

/** Sends hints and survives a queue that is away: the rows they point at are found by the sweep. False: it was away. */
export async function sendHints<Job extends JobDefinition>(
  { queues, logger, metrics }: Pick<PipelineDeps, 'queues' | 'logger' | 'metrics'>,
  job: Job,
  payloads: readonly Payload<Job>[],
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
