import type { DeliveryDeps } from '@tocsin/pipeline';
import { QUEUE_NAMES, type Job } from '@tocsin/queue';
import { createLogger, shutdownStack } from '@tocsin/runtime';
import { expect, test } from 'vitest';
import { startDispatch } from '../apps/dispatcher/src/index.ts';
import { startEvaluation, type EvaluationDeps } from '../apps/evaluator/src/start-evaluation.ts';

/** What the processes start that take work from queues; one that is missing here is missing in `npm start` too. */
async function startConsumers(deps: EvaluationDeps & DeliveryDeps): Promise<void> {
  const stack = shutdownStack(deps.logger);
  await Promise.all([startEvaluation(deps, stack), startDispatch(deps, stack)]);
}

test('every queue is consumed by one process', async () => {
  const consumed: string[] = [];
  const consumer = ({ queue }: Job): object => {
    consumed.push(queue);
    return { ready: () => Promise.resolve() };
  };
  // What asks the database instead of a queue waits for its answer.
  const db = { sql: { begin: () => new Promise(() => {}) } };
  const untouched = { logger: createLogger('test'), store: {}, clock: { now: () => 0 }, db };
  await startConsumers({ ...untouched, queues: { consumer } } as unknown as EvaluationDeps & DeliveryDeps);
  expect(consumed.toSorted()).toEqual(QUEUE_NAMES.toSorted());
});
