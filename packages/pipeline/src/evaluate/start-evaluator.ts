import { evaluateRuns, RUNS_PER_HINT, type Consumer } from '@tocsin/queue';
import type { HistorySource, MetricSource } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import type { TryAgain } from './end-attempt.ts';
import { evaluateBatch } from './evaluate-batch.ts';
import type { EvaluationBounds } from './evaluation-bounds.ts';
import type { EvaluationDeps } from './evaluate-runs.ts';
import { gather } from './gather.ts';
import { HeavyTenants } from './heavy-tenants.ts';
import { openKnownFits } from './known-fits.ts';
import { openRuleCache } from './rule-cache.ts';

export interface EvaluatorDeps extends PipelineDeps {
  source: MetricSource;
  /** Where the past comes from that thresholds are made of. */
  histories: HistorySource;
  /** Absent: those of the design. */
  runBounds?: EvaluationBounds;
}

const TENANTS_PER_BATCH = 50;
/** One waits for the database while the other computes. */
const BATCHES = 2;
const LINGER_MS = 4;
/** Enough in hand to fill the next batch while two are under way. */
const HINTS_IN_HAND = ((BATCHES + 1) * TENANTS_PER_BATCH) / RUNS_PER_HINT;
const SERVER_AWAY_MS = 1_000;
const APART_PAUSE_MS = 500;

/** With the caches that a process has one of. */
export const evaluationOf = (deps: EvaluatorDeps): EvaluationDeps => ({
  ...deps,
  rules: openRuleCache(),
  fits: openKnownFits(deps.histories),
});

/**
 * Evaluates runs as they are hinted. A hint says only that its tenant has work: what is evaluated is the tenant's earliest unfinished run.
 * Any number of processes at a time.
 */
export function startEvaluator(deps: EvaluatorDeps): Consumer {
  const apart = evaluationOf(deps);
  const heavy = new HeavyTenants();
  const evaluation = { ...apart, heavy };
  const evaluate = gather({
    clock: deps.clock,
    atMost: TENANTS_PER_BATCH,
    batches: BATCHES,
    lingerMs: LINGER_MS,
    work: (tenantIds) => evaluateBatch(evaluation, tenantIds),
  });
  let isOneApart = false;
  /** One of them at a time; the others do not wait in our hands, where the hints of everybody else have to fit. */
  const evaluateApart = async (tenantId: string): Promise<TryAgain | undefined> => {
    if (isOneApart) return { againInMs: APART_PAUSE_MS };
    isOneApart = true;
    try {
      return (await evaluateBatch(apart, [tenantId])).get(tenantId);
    } finally {
      heavy.count(tenantId);
      isOneApart = false;
    }
  };
  const evaluateHinted = async (tenantId: string): Promise<TryAgain | undefined> => {
    try {
      return await (heavy.has(tenantId) ? evaluateApart(tenantId) : evaluate(tenantId));
    } catch (error) {
      deps.logger.warn({ err: error, tenantId }, 'no run could be leased; trying again');
      return { againInMs: SERVER_AWAY_MS };
    }
  };
  return deps.queues.consumer(evaluateRuns, { concurrency: HINTS_IN_HAND }, async ({ runs }) => {
    const wishes = await Promise.all(runs.map(({ tenantId }) => evaluateHinted(tenantId)));
    const pauses = wishes.flatMap((wish) => wish?.againInMs ?? []);
    if (pauses.length === 0) return undefined;
    return { againInMs: Math.max(...pauses), payload: { runs: runs.filter((_run, at) => wishes[at] !== undefined) } };
  });
}
