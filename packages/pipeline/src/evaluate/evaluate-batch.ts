import { isRetryable, leaseRuns, newId, renewRunLeases, tookTooLong, withTenantsSql, type LeasedRun } from '@tocsin/db';
import { faultPoint } from '@tocsin/runtime';
import { LEASE_MS, whileLeased } from '../while-leased.ts';
import { endAttempt, giveUp, MAX_ATTEMPTS, postpone, type TryAgain } from './end-attempt.ts';
import { evaluateRuns, type EvaluationDeps } from './evaluate-runs.ts';

const SERVER_PAUSE_MS = 200;
const ALONE_AT_ONCE = 4;
const NEVER = new AbortController().signal;

/**
 * Leases each tenant's earliest run and evaluates all of them together. When that fails each is evaluated alone, so that only the run that
 * is to blame pays for it. For the same reason a run that was in hand before comes after the others and alone: when it kills the process
 * again, nobody else's attempt is lost with it. Answers the tenants whose hint is wanted again.
 */
export async function evaluateBatch(deps: EvaluationDeps, tenantIds: readonly string[]): Promise<Map<string, TryAgain>> {
  const wanted = tenantIds.map((tenantId) => ({ tenantId, token: newId() }));
  const { leased, suspects, early } = await withTenantsSql(deps.db, tenantIds, (sql) => leaseRuns(sql, wanted, LEASE_MS));
  const again = await evaluateLeased(deps, leased);
  for (const { tenantId, inMs } of early) again.set(tenantId, { againInMs: Math.ceil(inMs) });
  for (const tenantId of suspects) for (const wish of await evaluateBatch(deps, [tenantId])) again.set(...wish);
  return again;
}

async function evaluateLeased(deps: EvaluationDeps, leased: readonly LeasedRun[]): Promise<Map<string, TryAgain>> {
  if (leased.length > 0) faultPoint('evaluator.after-lease');
  // Three attempts ended without a word: the processes died of this run, or during it.
  const spent = leased.filter((run) => run.attempts > MAX_ATTEMPTS);
  for (const run of spent) await giveUp(deps, run, 'attempts_exhausted');
  const runs = leased.filter((run) => run.attempts <= MAX_ATTEMPTS);
  if (runs.length === 0) return new Map();
  const renew = () =>
    withTenantsSql(
      deps.db,
      runs.map((run) => run.tenantId),
      (sql) => renewRunLeases(sql, runs, LEASE_MS),
    );
  return whileLeased(deps, renew, () => evaluateTogether(deps, runs));
}

async function evaluateTogether(deps: EvaluationDeps, runs: readonly LeasedRun[]): Promise<Map<string, TryAgain>> {
  const failure = await attempt(deps, runs);
  if (failure === null) return setAside(deps, runs);
  deps.logger.warn({ err: failure.error, runs: runs.length }, 'runs failed together; evaluating them again');
  if (isRetryable(failure.error)) {
    // The server, not one of the runs, is to blame: together once more, then later.
    await deps.clock.sleep(SERVER_PAUSE_MS, NEVER);
    const again = await attempt(deps, runs);
    if (again === null) return setAside(deps, runs);
    if (isRetryable(again.error)) return postpone(deps, runs, again.error);
  }
  return evaluateAlone(deps, runs);
}

/** Hints of runs that were given back to be evaluated apart are wanted again at once. */
const setAside = ({ heavy }: EvaluationDeps, runs: readonly LeasedRun[]): Map<string, TryAgain> =>
  new Map(runs.filter(({ tenantId }) => heavy?.has(tenantId)).map(({ tenantId }) => [tenantId, { againInMs: 0 }]));

/**
 * Each by itself, a few at a time: the others need not wait for the one that was too slow for the batch. When the server is too slow for
 * every one of several, it is to blame and not they.
 */
async function evaluateAlone(deps: EvaluationDeps, runs: readonly LeasedRun[]): Promise<Map<string, TryAgain>> {
  const again = setAside(deps, runs);
  const left = runs.filter(({ tenantId }) => !again.has(tenantId));
  const tooSlow: { run: LeasedRun; error: unknown }[] = [];
  const queue = [...left];
  const workThrough = async (): Promise<void> => {
    for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
      const alone = await attempt(deps, [run]);
      if (alone === null) continue;
      if (tookTooLong(alone.error)) tooSlow.push({ run, error: alone.error });
      else await end(run, alone.error);
    }
  };
  const end = async (run: LeasedRun, error: unknown): Promise<void> => {
    const wish = await endAttempt(deps, run, error);
    if (wish !== null) again.set(run.tenantId, wish);
  };
  await Promise.all(Array.from({ length: ALONE_AT_ONCE }, workThrough));
  if (left.length > 1 && tooSlow.length === left.length) return new Map([...again, ...(await postpone(deps, left, tooSlow[0]!.error))]);
  for (const { run, error } of tooSlow) await end(run, error);
  return again;
}

async function attempt(deps: EvaluationDeps, runs: readonly LeasedRun[]): Promise<{ error: unknown } | null> {
  try {
    await evaluateRuns(deps, runs);
    return null;
  } catch (error) {
    return { error };
  }
}
