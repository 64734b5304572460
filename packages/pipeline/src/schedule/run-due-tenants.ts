import type { EpochMs } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { claimDueSlots } from './claim-due-slots.ts';
import { waitForRuns } from './wait-for-runs.ts';

/** What became of one tenant's run. */
export type TenantOutcome =
  | { tenantId: string; status: 'evaluated'; rules: number; triggers: number }
  | { tenantId: string; status: 'failed' }
  /** It has not ended yet, and will. */
  | { tenantId: string; status: 'queued' };

/** For slots that are still to be claimed: the rest of the time is for those that are. */
const CLAIMING_SHARE = 0.5;

/**
 * Claims what is due of all tenants and waits until it is evaluated, or the time is over. Whoever asks at the same time, a scheduler included, claims
 * other slots. The newest slot of a tenant stands for those before it.
 * @param withinMs how long it may take, by the process's clock
 * @param actor whom the audit log of each tenant names
 */
export async function runDueTenants(
  deps: PipelineDeps,
  { withinMs, actor }: { withinMs: number; actor: string },
): Promise<TenantOutcome[]> {
  const startMs = deps.clock.now();
  const claimed: { tenantId: string; slotMs: EpochMs }[] = [];
  for (;;) {
    const { queued, skipped } = await claimDueSlots(deps, { coversOlder: true, actor });
    claimed.push(...queued);
    if (queued.length + skipped === 0 || deps.clock.now() - startMs > withinMs * CLAIMING_SHARE) break;
  }
  const outcomes = await waitForRuns(deps, claimed, startMs + withinMs);
  return outcomes.map(({ tenantId, status, rules, triggers }): TenantOutcome => {
    if (status === 'done' || status === 'late') return { tenantId, status: 'evaluated', rules: rules ?? 0, triggers: triggers ?? 0 };
    return { tenantId, status: status === 'failed' ? 'failed' : 'queued' };
  });
}
