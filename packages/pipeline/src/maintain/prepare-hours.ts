import { withTenantsSql } from '@tocsin/db';
import { hoursNeededBy } from '@tocsin/domain';
import { maintain } from '@tocsin/queue';
import type { RuleCache } from '../evaluate/rule-cache.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { sendHints } from '../send-hints.ts';
import type { MaintenanceDeps } from './tasks.ts';

export const PREPARE = 'prepare';

/** A job works for so long; tenants that are left then have jobs of their own. */
const WORK_MS = 10_000;

/** Has what the tenants' rules need of closed hours made. Who needs more than a job's time is asked for again, behind the others. */
export async function prepareHours(
  deps: MaintenanceDeps & { rules: RuleCache },
  tenantIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const loaded = await withTenantsSql(deps.db, tenantIds, (sql) => deps.rules.load(sql, tenantIds));
  const startedMs = performance.now();
  const left: string[] = [];
  for (const [tenantId, { evaluable }] of loaded) {
    const needs = evaluable.flatMap(({ rule }) => hoursNeededBy(rule.compiled));
    if (needs.length === 0) continue;
    if (signal.aborted || performance.now() - startedMs > WORK_MS) left.push(tenantId);
    else {
      const { made, missing } = await deps.store.prepare(tenantId, needs, signal);
      // Where nothing could be made, the next minute is soon enough.
      if (missing > 0 && made > 0) left.push(tenantId);
    }
  }
  // The hint that is being worked on is known by the same id.
  await sendHints(deps, maintain, left.map(hintOf), { evenIfKnown: true });
}

/** Asks for it now, for a tenant whose rules were changed. */
export const hintPreparation = (deps: Pick<PipelineDeps, 'queues' | 'logger' | 'metrics'>, tenantId: string): Promise<boolean> =>
  sendHints(deps, maintain, [hintOf(tenantId)]);

const hintOf = (tenantId: string) => ({ task: PREPARE, tenantIds: [tenantId] });
