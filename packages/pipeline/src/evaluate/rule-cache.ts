import { readRuleBodies, readRuleHeads, type RuleBody, type RuleHead, type SqlTx } from '@tocsin/db';
import { type LagCache, openLagCache } from './lag-cache.ts';
import { readStoredRule, type CompiledRule, type Labels } from '@tocsin/domain';

/** A rule ready to be evaluated: what never changes within a version. */
export interface EvaluableRule {
  tenantId: string;
  id: string;
  version: number;
  key: string;
  name: string;
  labels: Labels;
  /** The pack it came with, which alerts show; null: none. */
  packKey: string | null;
  compiled: CompiledRule;
}

/** A rule whose stored words this version of the program cannot evaluate. */
export interface UnreadableRule extends Pick<EvaluableRule, 'tenantId' | 'id' | 'version'> {
  fault: string;
}

export interface LoadedRules {
  evaluable: { rule: EvaluableRule; head: RuleHead }[];
  unreadable: { rule: UnreadableRule; head: RuleHead }[];
}

export interface RuleCache {
  /** The enabled rules of these tenants, by tenant; a tenant without any is absent. Reads a rule's body once per version. */
  load: (sql: SqlTx, tenantIds: readonly string[]) => Promise<Map<string, LoadedRules>>;
  lags: LagCache;
}

/** A tenant's ten thousand rules of 32 comparisons take seconds to read: between them leases are renewed and other batches go on. */
const SLICE_MS = 50;

/** Keeps the `atMost` rules that were used last. */
export function openRuleCache(atMost: number = 100_000): RuleCache {
  const rules = new Map<string, EvaluableRule | UnreadableRule>();

  const keep = (rule: EvaluableRule | UnreadableRule): void => {
    rules.delete(rule.id);
    rules.set(rule.id, rule);
    if (rules.size <= atMost) return;
    for (const oldest of rules.keys()) {
      rules.delete(oldest);
      return;
    }
  };

  return {
    lags: openLagCache(),
    async load(sql, tenantIds) {
      const heads = await readRuleHeads(sql, tenantIds);
      const unknown = heads.filter((head) => rules.get(head.id)?.version !== head.version);
      const read = new Map<string, EvaluableRule | UnreadableRule>();
      let sliceStartedMs = performance.now();
      for (const body of unknown.length > 0 ? await readRuleBodies(sql, unknown) : []) {
        read.set(body.id, ruleOf(body));
        if (performance.now() - sliceStartedMs < SLICE_MS) continue;
        await new Promise(setImmediate);
        sliceStartedMs = performance.now();
      }
      const loaded = new Map<string, LoadedRules>();
      for (const head of heads) {
        const rule = read.get(head.id) ?? rules.get(head.id);
        // Deleted between the two reads.
        if (rule === undefined || rule.tenantId !== head.tenantId) continue;
        keep(rule);
        const ofTenant = loaded.get(head.tenantId) ?? { evaluable: [], unreadable: [] };
        loaded.set(head.tenantId, ofTenant);
        if ('fault' in rule) ofTenant.unreadable.push({ rule, head });
        else ofTenant.evaluable.push({ rule, head });
      }
      return loaded;
    },
  };
}

function ruleOf({ tenantId, id, version, key, name, spec, packKey }: RuleBody): EvaluableRule | UnreadableRule {
  const read = readStoredRule(spec);
  if (!read.ok) return { tenantId, id, version, fault: read.fault };
  return { tenantId, id, version, key, name, labels: read.spec.labels, packKey, compiled: read.compiled };
}
