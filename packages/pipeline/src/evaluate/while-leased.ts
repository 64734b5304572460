import { renewRunLeases, withTenantsSql, type RunLease } from '@tocsin/db';
import type { PipelineDeps } from '../pipeline-deps.ts';

export const LEASE_MS = 10_000;
const RENEW_EVERY_MS = 3_000;

/** Keeps the leases alive while `work` runs. A renewal that fails is only logged: the fence at the commit decides whose run it is. */
export async function whileLeased<T>(deps: PipelineDeps, leases: readonly RunLease[], work: () => Promise<T>): Promise<T> {
  const finished = new AbortController();
  const renewing = renewUntil(deps, leases, finished.signal);
  try {
    return await work();
  } finally {
    finished.abort();
    await renewing;
  }
}

async function renewUntil(deps: PipelineDeps, leases: readonly RunLease[], signal: AbortSignal): Promise<void> {
  for (;;) {
    await deps.clock.sleep(RENEW_EVERY_MS, signal);
    if (signal.aborted) return;
    try {
      await withTenantsSql(deps.db, leases.map((lease) => lease.tenantId), (sql) => renewRunLeases(sql, leases, LEASE_MS));
    } catch (error) {
      deps.logger.warn({ err: error, runs: leases.length }, 'leases not renewed');
    }
  }
}
