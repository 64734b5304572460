import { tenantsAfter, withPipeline } from '@tocsin/db';
import { maintain, type Consumer } from '@tocsin/queue';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { sendHints } from '../send-hints.ts';
import { deleteOld, keepPartitions, type MaintenanceDeps } from './tasks.ts';

/** Tenants of one job: small enough that a job ends within seconds. */
const TENANTS_PER_JOB = 100;

type TenantTask = (deps: MaintenanceDeps, tenantIds: readonly string[], signal: AbortSignal) => Promise<unknown>;

const TENANT_TASKS: Readonly<Record<string, TenantTask>> = {
  compact: ({ store }, tenantIds, signal) => store.compact(tenantIds, signal),
  expire: deleteOld,
};

/** What the scheduler asks for: how often, and which tasks. Each is harmless when it is done too often or twice at a time. */
export const MAINTENANCE: readonly { everyMs: number; task: string }[] = [
  { everyMs: 60_000, task: 'compact' },
  { everyMs: 600_000, task: 'expire' },
  { everyMs: 600_000, task: 'partitions' },
];

/** Does the house-keeping that is asked for. A task for all tenants is first split into jobs of a few, so that every process takes part. */
export function startMaintenance(deps: MaintenanceDeps): Consumer {
  return deps.queues.consumer(maintain, { concurrency: 1 }, async ({ task, tenantIds }, signal) => {
    const work = TENANT_TASKS[task];
    try {
      if (task === 'partitions') await keepPartitions(deps);
      else if (work === undefined) deps.logger.warn({ task }, 'no such maintenance task');
      else if (tenantIds === undefined) await split(deps, task);
      else await work(deps, tenantIds, signal);
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
