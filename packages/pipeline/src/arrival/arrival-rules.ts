import { readArrivalRules, readRuleBodies, withTenantsSql, type ArrivalRuleHead, type Database } from '@tocsin/db';
import { readStoredRule, SAVED_METRIC_PREFIX } from '@tocsin/domain';

/** A rule that is evaluated as its events arrive. */
export interface ArrivalRule extends ArrivalRuleHead {
  /** Event names it looks at; a null stands for every event but readings of saved metrics. */
  names: ReadonlySet<string | null>;
}

export interface ArrivalRules {
  /** The rules of these tenants, at most a second old; a tenant without any is absent. */
  load: (tenantIds: readonly string[]) => Promise<ReadonlyMap<string, readonly ArrivalRule[]>>;
}

const AT_MOST_OLD_MS = 1_000;
const MOST_TENANTS = 10_000;
const NONE: readonly ArrivalRule[] = [];

/** Reads at most once a second and tenant, all tenants that are asked for with one statement, and a rule's body once a version. */
export function openArrivalRules(db: Database): ArrivalRules {
  const known = new Map<string, { rules: readonly ArrivalRule[]; untilMs: number }>();
  let reading: Promise<void> = Promise.resolve();

  const isOld = (tenantId: string): boolean => (known.get(tenantId)?.untilMs ?? -Infinity) <= performance.now();

  const refresh = async (tenantIds: readonly string[]): Promise<void> => {
    const old = tenantIds.filter(isOld);
    if (old.length === 0) return;
    const untilMs = performance.now() + AT_MOST_OLD_MS;
    const read = await withTenantsSql(db, old, async (sql) => {
      const heads = await readArrivalRules(sql, old);
      const before = new Map(old.flatMap((tenantId) => known.get(tenantId)?.rules ?? NONE).map((rule) => [rule.id, rule]));
      const isRead = ({ id, version }: ArrivalRuleHead): boolean => before.get(id)?.version === version;
      const changed = heads.filter((head) => !isRead(head));
      const bodies = changed.length === 0 ? [] : await readRuleBodies(sql, changed);
      const same = heads.filter(isRead).map(({ id }) => before.get(id)!);
      return [...same, ...bodies.map(({ tenantId, id, version, spec }) => ({ tenantId, id, version, names: namesIn(spec) }))];
    });
    const byTenant = Map.groupBy(read, ({ tenantId }) => tenantId);
    for (const tenantId of old) {
      known.delete(tenantId);
      known.set(tenantId, { rules: byTenant.get(tenantId) ?? NONE, untilMs });
    }
    for (const tenantId of known.keys()) {
      if (known.size <= MOST_TENANTS) break;
      known.delete(tenantId);
    }
  };

  return {
    async load(tenantIds) {
      if (tenantIds.some(isOld)) {
        // One after the other: who comes second finds what the first has read.
        const mine = reading.then(() => refresh(tenantIds));
        reading = mine.catch(() => undefined);
        await mine;
      }
      return new Map(
        tenantIds.flatMap((tenantId) => {
          const rules = known.get(tenantId)?.rules ?? NONE;
          return rules.length === 0 ? [] : [[tenantId, rules] as const];
        }),
      );
    },
  };
}

/** Whether an event of this name is one the rule looks at. */
export const looksAt = ({ names }: Pick<ArrivalRule, 'names'>, name: string): boolean =>
  names.has(name) || (names.has(null) && !name.startsWith(SAVED_METRIC_PREFIX));

/** A rule that cannot be read looks at nothing. */
function namesIn(spec: unknown): ReadonlySet<string | null> {
  const read = readStoredRule(spec);
  return new Set(read.ok ? read.compiled.windows.map(({ query }) => query.name) : []);
}
