import {
  backOffSchedules,
  failRuns,
  isRetryable,
  newId,
  putOwnerNotices,
  releaseRuns,
  sqlState,
  withTenantsSql,
  type LeasedRun,
  type RunLease,
} from '@tocsin/db';
import type { PipelineDeps } from '../pipeline-deps.ts';

/** A hint whose run is not ended is wanted again after this long. */
export interface TryAgain {
  againInMs: number;
}

export const MAX_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 1_000;

/** An attempt has failed: the run waits for the next one, or ends `failed` when this was the last. Null: nothing is left to try. */
export async function endAttempt(deps: PipelineDeps, run: LeasedRun, error: unknown): Promise<TryAgain | null> {
  const reason = reasonOf(error);
  deps.logger.error({ err: error, tenantId: run.tenantId, runId: run.id, attempt: run.attempts, reason }, 'a run failed');
  if (run.attempts < MAX_ATTEMPTS || isRetryable(error)) {
    await giveBack(deps, [run], error, { isCounted: !isRetryable(error) });
    return { againInMs: FIRST_PAUSE_MS * 2 ** (run.attempts - 1) };
  }
  await giveUp(deps, run, reason);
  return null;
}

/** The server is away or overloaded: the runs wait, and the attempt does not count against them. */
export async function postpone(deps: PipelineDeps, runs: readonly LeasedRun[], error: unknown): Promise<Map<string, TryAgain>> {
  deps.logger.error({ err: error, runs: runs.length }, 'runs are postponed');
  await giveBack(deps, runs, error, { isCounted: false });
  return new Map(runs.map((run) => [run.tenantId, { againInMs: FIRST_PAUSE_MS }]));
}

async function giveBack(
  { db, logger }: PipelineDeps,
  runs: readonly LeasedRun[],
  error: unknown,
  { isCounted }: { isCounted: boolean },
): Promise<void> {
  try {
    await withTenantsSql(
      db,
      runs.map((run) => run.tenantId),
      (sql) => releaseRuns(sql, runs, { reason: reasonOf(error), isCounted }),
    );
  } catch (unreachable) {
    // The leases run out by themselves; the next attempt finds the runs as they are.
    logger.warn({ err: unreachable, runs: runs.length }, 'runs could not be given back');
  }
}

/** Ends a run as `failed`, holds its tenant back, and tells the tenant's people once. Their other runs go on when the pause ends. */
export async function giveUp(deps: PipelineDeps, run: RunLease & { id: string }, reason: string): Promise<void> {
  const failed = await withTenantsSql(deps.db, [run.tenantId], async (sql) => {
    const ours = await failRuns(sql, [run], reason);
    if (ours.length === 0) return null;
    const [schedule] = await backOffSchedules(sql, [run.tenantId]);
    if (schedule?.failedRuns === 1) {
      await putOwnerNotices(sql, [
        {
          tenantId: run.tenantId,
          id: newId(),
          aboutId: run.id,
          title: 'Your rules could not be evaluated',
          body: {
            kind: 'run_failed',
            runId: run.id,
            slot: new Date(run.slotMs).toISOString(),
            reason,
            text: 'Every attempt to evaluate your rules for this slot failed. They are evaluated again after a pause; until then no alert opens or closes.',
          },
        },
      ]);
    }
    return { untilMs: schedule?.untilMs ?? null };
  });
  if (failed === null) return;
  deps.metrics.runs.inc({ result: 'failed' });
  deps.logger.error({ tenantId: run.tenantId, runId: run.id, reason, backedOffUntilMs: failed.untilMs }, 'a run is given up');
}

/** For the run's row: what kind of trouble it was, without words that may hold data. */
function reasonOf(error: unknown): string {
  const state = sqlState(error);
  if (state !== null) return `database_error_${state}`;
  return isRetryable(error) ? 'database_away' : 'evaluation_error';
}
