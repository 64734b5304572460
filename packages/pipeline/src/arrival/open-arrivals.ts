import type { EpochMs } from '@tocsin/domain';
import type { Landed } from '@tocsin/events';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { looksAt, openArrivalRules } from './arrival-rules.ts';
import { APART_MS, queueArrival, type AwaitedRun } from './queue-arrival.ts';

export interface Arrivals {
  /** To be told after the commit. Takes no time of the caller's, and never throws: the slots of the schedule see what is missed here. */
  landed: (landed: readonly Landed[]) => void;
  /** Waits for what was told. */
  close: () => Promise<void>;
}

interface Tenant {
  /** What is to be asked for, when what is being asked for is answered. */
  wanted: Set<string>;
  endsAtMs: EpochMs;
  isAsking: boolean;
  /** A run to come, and up to when, by `performance.now()`, it sees whatever arrives. */
  awaited: { ruleIds: ReadonlySet<string>; slotMs: EpochMs; untilMs: number } | null;
}

const MOST_TENANTS = 10_000;

/**
 * Has the rules that look at events evaluated as soon as these are stored. One a process. It asks the database once a second and tenant: while a run is to
 * come that will see what arrives, there is nothing to ask for.
 */
export function openArrivals(deps: PipelineDeps): Arrivals {
  const rules = openArrivalRules(deps.db);
  const tenants = new Map<string, Tenant>();
  const underWay = new Set<Promise<void>>();

  const ask = async (tenantId: string, tenant: Tenant): Promise<void> => {
    tenant.isAsking = true;
    try {
      while (tenant.wanted.size > 0) {
        const ruleIds = tenant.wanted;
        tenant.wanted = new Set();
        const askedMs = performance.now();
        const run = await queueArrival(deps, { tenantId, ruleIds: [...ruleIds], endsAtMs: tenant.endsAtMs });
        tenant.awaited = isAwaited(run) ? { ruleIds: new Set(run.ruleIds), slotMs: run.slotMs, untilMs: askedMs + run.inMs } : null;
      }
    } finally {
      tenant.isAsking = false;
    }
  };

  const want = (tenantId: string, ruleIds: readonly string[], endsAtMs: EpochMs): Promise<void> | null => {
    const tenant = tenants.get(tenantId) ?? { wanted: new Set(), endsAtMs, isAsking: false, awaited: null };
    if (willBeSeen(tenant, ruleIds, endsAtMs)) return null;
    for (const ruleId of ruleIds) tenant.wanted.add(ruleId);
    tenant.endsAtMs = Math.max(tenant.endsAtMs, endsAtMs);
    tenants.delete(tenantId);
    tenants.set(tenantId, tenant);
    forgetOldest(tenants);
    return tenant.isAsking ? null : ask(tenantId, tenant);
  };

  const take = async (landed: readonly Landed[]): Promise<void> => {
    const byTenant = Map.groupBy(landed, ({ tenantId }) => tenantId);
    const loaded = await rules.load([...byTenant.keys()]);
    const asking = [...loaded].flatMap(([tenantId, ofTenant]) => {
      const events = byTenant.get(tenantId) ?? [];
      const wanted = ofTenant.filter((rule) => events.some(({ names }) => names.some((name) => looksAt(rule, name))));
      // What lies further ahead is for a slot to come.
      const endsAtMs = Math.min(Math.max(...events.map((each) => each.endsAtMs)), deps.clock.now() + APART_MS);
      const ruleIds = wanted.map(({ id }) => id);
      return ruleIds.length === 0 ? [] : (want(tenantId, ruleIds, endsAtMs) ?? []);
    });
    await Promise.all(asking);
  };

  return {
    landed(landed) {
      if (landed.length === 0) return;
      const work = take(landed)
        .catch((error: unknown) => deps.logger.warn({ err: error }, 'rules could not be evaluated on arrival; their next slot sees it'))
        .finally(() => underWay.delete(work));
      underWay.add(work);
    },
    async close() {
      await Promise.all(underWay);
    },
  };
}

const isAwaited = (run: AwaitedRun | 'busy' | null): run is AwaitedRun => run !== null && run !== 'busy' && run.inMs > 0;

const willBeSeen = ({ awaited }: Tenant, ruleIds: readonly string[], endsAtMs: EpochMs): boolean =>
  awaited !== null && performance.now() < awaited.untilMs && endsAtMs <= awaited.slotMs && ruleIds.every((id) => awaited.ruleIds.has(id));

function forgetOldest(tenants: Map<string, Tenant>): void {
  for (const [tenantId, { isAsking }] of tenants) {
    if (tenants.size <= MOST_TENANTS) return;
    if (!isAsking) tenants.delete(tenantId);
  }
}
