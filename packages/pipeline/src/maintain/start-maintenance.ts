import { tenantsAfter, withPipeline } from '@tocsin/db';
import { maintain, type Consumer } from '@tocsin/queue';
import { openRuleCache, type RuleCache } from '../evaluate/rule-cache.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { sendHints } from '../send-hints.ts';
import { PREPARE, prepareHours } from './prepare-hours.ts';
import { archiveOld, deleteOld, keepPartitions, type MaintenanceDeps } from './tasks.ts';

/** Tenants of one job: small enough that a job ends within seconds. */
const TENANTS_PER_JOB = 100;

interface ForTenants {
  everyMs: number;
  forTenants: (deps: MaintenanceDeps & { rules: RuleCache }, tenantIds: readonly string[], signal: AbortSignal) => Promise<unknown>;
}

interface ForAll {
  everyMs: number;
  forAll: (deps: MaintenanceDeps) => Promise<void>;
}

/** All there is, and how often it is asked for. Each is harmless when it is done too often or twice at a time. */
const TASKS: Readonly<Record<string, ForTenants | ForAll>> = {
  [PREPARE]: { everyMs: 60_000, forTenants: prepareHours },
  compact: { everyMs: 60_000, forTenants: ({ store }, tenantIds, signal) => store.compact(tenantIds, signal) },
  archive: { everyMs: 600_000, forTenants: archiveOld },
  expire: { everyMs: 600_000, forTenants: deleteOld },
  partitions: { everyMs: 600_000, forAll: keepPartitions },
};

/** What the scheduler asks for. */
export const MAINTENANCE = Object.entries(TASKS).map(([task, { everyMs }]) => ({ task, everyMs }));

/** Does the house-keeping that is asked for. A task for all tenants is first split into jobs of a few, so that every process takes part. */
export function startMaintenance(of: MaintenanceDeps): Consumer {
  const deps = { ...of, rules: openRuleCache() };
  return deps.queues.consumer(maintain, { concurrency: 1 }, async ({ task, tenantIds }, signal) => {
    const found = TASKS[task];
    try {
      if (found === undefined) deps.logger.warn({ task }, 'no such maintenance task');
      else if ('forAll' in found) await found.forAll(deps);
      else if (tenantIds === undefined) await split(deps, task);
      else await found.forTenants(deps, tenantIds, signal);
    } catch (error) {
      deps.logger.warn({ err: error, task }, 'maintenance failed; it is asked for again');
    }
  });
}

async function split(deps: PipelineDeps, task: string): Promise<void> {
  let afterId: string | null = null;
  for (;;) {
    const from: string | null = afterId;
    const tenantIds: string[] = await withPipeline(deps.db, (sql) => tenantsAfter(sql, from, TENANTS_PER_JOB));
    if (tenantIds.length > 0) await sendHints(deps, maintain, [{ task, tenantIds }]);
    if (tenantIds.length < TENANTS_PER_JOB) return;
    afterId = tenantIds.at(-1) ?? null;
  }
}
