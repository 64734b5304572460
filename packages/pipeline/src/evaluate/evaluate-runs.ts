import { isRetryable, releaseRuns, withTenantsSql, type LeasedRun } from '@tocsin/db';
import type { MetricSource, QueryResult, ReadingCost } from '@tocsin/domain';
import { dispatchTrigger } from '@tocsin/queue';
import { faultPoint } from '@tocsin/runtime';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { hintRuns, sendHints } from '../send-hints.ts';
import { commitRuns, type CommittedRuns, type RunResult } from './commit-runs.ts';
import { QUERY_TIMEOUT, RUN_TIMEOUT, ruleToBlame } from './conduct.ts';
import { EVALUATION_BOUNDS, type EvaluationBounds } from './evaluation-bounds.ts';
import { HEAVY_QUERIES, type HeavyTenants } from './heavy-tenants.ts';
import { judgeRun, type FitsOfRules } from './judge-run.ts';
import type { RuleOutcome } from './judge-rule.ts';
import type { KnownFits } from './known-fits.ts';
import type { PlannedRule } from './plan-run.ts';
import { readMetrics, readRuns, type ReadRun, type RunAnswers } from './read-runs.ts';
import { costWritten, noteLook } from './rule-cost.ts';
import type { RuleCache } from './rule-cache.ts';

export interface EvaluationDeps extends PipelineDeps {
  source: MetricSource;
  rules: RuleCache;
  fits: KnownFits;
  runBounds?: EvaluationBounds;
  /** Where it is given, runs of very many queries are noted there and given back instead of evaluated. */
  heavy?: HeavyTenants;
}

/** A batch gives up sooner and is read run by run, so that one slow tenant holds the others for this long at most. */
const BATCH_QUERIES_MS = 10_000;
/** A server that takes longer for next to nothing is busy itself. */
const AT_ONCE_MS = 1_000;
/** Work between two looks at the event loop, where leases are renewed. */
const SLICE_MS = 50;

/** Reads, judges and commits leased runs together, then hints what follows. Rejects when nothing of it was committed. */
export async function evaluateRuns(deps: EvaluationDeps, runs: readonly LeasedRun[]): Promise<void> {
  const startedMs = performance.now();
  const read = await setHeavyAside(deps, await readRuns(deps, deps.rules, runs));
  if (read.length === 0) return;
  const [answers, fits] = await Promise.all([ask(deps, read), fitsOf(deps, read)]);
  const outcomes = await judgeAll(deps, read, answers, fits);
  const durationMs = Math.round(performance.now() - startedMs);
  const results = read.map((each): RunResult => ({
    run: each.run,
    outcomes: outcomes.get(each) ?? [],
    unreadable: each.unreadable,
    time: { evaluatedAtMs: each.run.leasedMs + durationMs, durationMs },
  }));
  const committed = await commitRuns(deps, results);
  faultPoint('evaluator.after-commit');
  for (const { rule, cost } of committed.costs) costWritten(rule, cost);
  count(deps, committed, startedMs);
  await Promise.all([
    sendHints(
      deps,
      dispatchTrigger,
      committed.triggers.map((trigger) => ({ tenantId: trigger.tenantId, triggerId: trigger.id })),
    ),
    // A hint of the same run may just be ending in other hands, for want of its turn.
    hintRuns(deps, committed.waiting, { evenIfKnown: true }),
  ]);
}

/** Whoever asks very much is evaluated apart: its queries would hold up all others. */
async function setHeavyAside({ db, heavy }: EvaluationDeps, read: ReadRun[]): Promise<ReadRun[]> {
  if (heavy === undefined) return read;
  const aside = read.filter(({ planned }) => planned.reduce((total, { queries }) => total + queries.length, 0) > HEAVY_QUERIES);
  if (aside.length === 0) return read;
  const runs = aside.map(({ run }) => run);
  const tenantIds = runs.map(({ tenantId }) => tenantId);
  await withTenantsSql(db, tenantIds, (sql) => releaseRuns(sql, runs, { reason: 'set_aside', isCounted: false }));
  for (const tenantId of tenantIds) heavy.add(tenantId);
  return read.filter((each) => !aside.includes(each));
}

async function ask(
  { db, source, runBounds = EVALUATION_BOUNDS }: EvaluationDeps,
  read: readonly ReadRun[],
): Promise<Map<ReadRun, RunAnswers>> {
  const { queryTimeMs, seriesPerRun } = runBounds;
  const [only] = read;
  const isAlone = read.length === 1 && only !== undefined;
  const signal = AbortSignal.timeout(isAlone ? queryTimeMs : Math.min(queryTimeMs, BATCH_QUERIES_MS));
  try {
    return await readMetrics(source, read, seriesPerRun, signal);
  } catch (error) {
    if (!isAlone || !signal.aborted) throw error;
    const message = `not answered within ${queryTimeMs / 1_000} s`;
    const blamed = (await answersAtOnce(db)) ? ruleToBlame(only.planned) : null;
    const late = (planned: PlannedRule): QueryResult =>
      planned === blamed
        ? { kind: 'failed', code: QUERY_TIMEOUT, message }
        : { kind: 'failed', code: RUN_TIMEOUT, message: `the queries of the tenant’s rules were ${message}` };
    return new Map([[only, { results: only.planned.flatMap((planned) => planned.queries.map(() => late(planned))), costs: [] }]]);
  }
}

/** What is usual for the rules that compare with it. A source that is away fails those rules, not the run. */
async function fitsOf({ fits, logger }: EvaluationDeps, read: readonly ReadRun[]): Promise<FitsOfRules> {
  const wanted = read.flatMap(({ run, planned }) =>
    planned
      .filter(({ rule }) => rule.compiled.histories.length > 0)
      .map((each) => ({
        each,
        tenantId: run.tenantId,
        compiled: each.rule.compiled,
        endMs: each.slotMs - each.delayMs,
      })),
  );
  if (wanted.length === 0) return new Map();
  try {
    const loaded = await fits.load(wanted, AbortSignal.timeout(BATCH_QUERIES_MS));
    return new Map(wanted.map((want) => [want.each, loaded.get(want) ?? []]));
  } catch (error) {
    if (isRetryable(error)) throw error;
    logger.error({ err: error, rules: wanted.length }, 'the past could not be read');
    return new Map();
  }
}

/** Whether the server is well: then it was not the server that made queries late. */
async function answersAtOnce({ sql }: PipelineDeps['db']): Promise<boolean> {
  const askedMs = performance.now();
  await sql`select 1`;
  return performance.now() - askedMs < AT_ONCE_MS;
}

async function judgeAll(
  { runBounds: { seriesPerRule, ruleTimeMs } = EVALUATION_BOUNDS }: EvaluationDeps,
  read: readonly ReadRun[],
  answers: ReadonlyMap<ReadRun, RunAnswers>,
  fits: FitsOfRules,
): Promise<Map<ReadRun, RuleOutcome[]>> {
  const judged = new Map<ReadRun, RuleOutcome[]>();
  let sliceStartedMs = performance.now();
  let startedMs = sliceStartedMs;
  for (const each of read) {
    const { results, costs } = answers.get(each) ?? NO_ANSWERS;
    const outcomes: RuleOutcome[] = [];
    for (const { outcome, from, to } of judgeRun(each, results, fits, seriesPerRule)) {
      const { planned } = outcome;
      outcomes.push(outcome);
      const judgedMs = performance.now();
      const look = { ms: judgedMs - startedMs, segments: 0, events: 0, series: outcome.series.length + outcome.dropped };
      for (let index = from; index < to; index += 1) addCost(look, costs[index]);
      // Of queries that were given up nobody knows what they took.
      if (outcome.health !== 'error' || costs.length > 0) noteLook(planned.rule, look, each.run.leasedMs);
      holdToTime(outcome, look.ms, ruleTimeMs);
      startedMs = judgedMs;
      if (judgedMs - sliceStartedMs > SLICE_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        startedMs = sliceStartedMs = performance.now();
      }
    }
    judged.set(each, outcomes);
  }
  return judged;
}

const NO_ANSWERS: RunAnswers = { results: [], costs: [] };

function addCost(look: ReadingCost, cost: ReadingCost | undefined): void {
  if (cost === undefined) return;
  look.ms += cost.ms;
  look.segments += cost.segments;
  look.events += cost.events;
}

/** What was found counts all the same; it is the rule that is in the others' way. */
function holdToTime(outcome: RuleOutcome, tookMs: number, ruleTimeMs: number): void {
  if (tookMs <= ruleTimeMs || outcome.conduct.kind === 'failed') return;
  const [took, allowed] = [Math.round(tookMs / 100) / 10, ruleTimeMs / 1_000];
  outcome.conduct = { kind: 'failed', reason: `overran: took ${took} s of the processor, ${allowed} s are allowed` };
}

function count({ metrics, logger }: EvaluationDeps, { finished, triggers, quarantined }: CommittedRuns, startedMs: number): void {
  const seconds = (performance.now() - startedMs) / 1_000;
  for (const {
    result: { run, outcomes, unreadable },
    status,
  } of finished) {
    metrics.runs.inc({ result: status });
    metrics.ruleEvaluationSeconds.observe(seconds);
    metrics.ruleEvaluationLagSeconds.observe(Math.max(0, (run.leasedMs - run.slotMs) / 1_000 + seconds));
    if (unreadable.length > 0) metrics.ruleEvaluations.inc({ result: 'error' }, unreadable.length);
    for (const outcome of outcomes) metrics.ruleEvaluations.inc({ result: outcome.isSuperseded ? 'superseded' : outcome.health });
  }
  for (const { tenantId, ruleId, reason, untilMs, times } of quarantined) {
    metrics.ruleQuarantines.inc();
    logger.warn({ tenantId, ruleId, reason, until: new Date(untilMs).toISOString(), times }, 'a rule is in quarantine');
  }
  for (const trigger of triggers) {
    metrics.triggers.inc({ kind: trigger.kind });
    logger.info(
      { tenantId: trigger.tenantId, ruleId: trigger.ruleId, alertId: trigger.alertId, severity: trigger.severity },
      `alert ${trigger.kind}`,
    );
  }
}
