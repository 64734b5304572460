import { evaluateRun, type Consumer } from '@tocsin/queue';
import type { MetricSource } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import { gather } from './gather.ts';
import { openRuleCache } from './rule-cache.ts';

export interface EvaluatorDeps extends PipelineDeps {
  source: MetricSource;
}

const TENANTS_PER_BATCH = 50;
/** One waits for the database while the other computes. */
const BATCHES = 2;
const LINGER_MS = 4;
/** Enough hints in hand to fill the next batch while two are under way. */
const HINTS_IN_HAND = 150;
const SERVER_AWAY_MS = 1_000;

/**
 * Evaluates runs as they are hinted. A hint says only that its tenant has work: what is evaluated is the tenant's earliest unfinished run.
 * Any number of processes at a time.
 */
export function startEvaluator(deps: EvaluatorDeps): Consumer {
  const evaluation = { ...deps, rules: openRuleCache() };
  const evaluate = gather({
    clock: deps.clock,
    atMost: TENANTS_PER_BATCH,
    batches: BATCHES,
    lingerMs: LINGER_MS,
    work: (tenantIds) => evaluateBatch(evaluation, tenantIds),
  });
  return deps.queues.consumer(evaluateRun, { concurrency: HINTS_IN_HAND }, async ({ tenantId }) => {
    try {
      return await evaluate(tenantId);
    } catch (error) {
      deps.logger.warn({ err: error, tenantId }, 'no run could be leased; trying again');
      return { againInMs: SERVER_AWAY_MS };
    }
  });
}
