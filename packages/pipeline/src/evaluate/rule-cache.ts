import { readRuleBodies, readRuleHeads, type RuleBody, type RuleHead, type SqlTx } from '@tocsin/db';
import { compileRule, type CompiledRule, type Labels, type RuleSpec } from '@tocsin/domain';

/** A rule ready to be evaluated: what never changes within a version. */
export interface EvaluableRule {
  tenantId: string;
  id: string;
  version: number;
  key: string;
  name: string;
  labels: Labels;
  compiled: CompiledRule;
}

export interface LoadedRule {
  rule: EvaluableRule;
  head: RuleHead;
}

export interface RuleCache {
  /** The enabled rules of these tenants, by tenant. Reads a rule's body once per version. */
  load: (sql: SqlTx, tenantIds: readonly string[]) => Promise<Map<string, LoadedRule[]>>;
}

/** Keeps the `atMost` rules that were used last. */
export function openRuleCache(atMost: number = 100_000): RuleCache {
  const rules = new Map<string, EvaluableRule>();

  const keep = (rule: EvaluableRule): void => {
    rules.delete(rule.id);
    rules.set(rule.id, rule);
    if (rules.size <= atMost) return;
    for (const oldest of rules.keys()) {
      rules.delete(oldest);
      return;
    }
  };

  return {
    async load(sql, tenantIds) {
      const heads = await readRuleHeads(sql, tenantIds);
      const unknown = heads.filter((head) => rules.get(head.id)?.version !== head.version);
      const read = new Map<string, EvaluableRule>();
      if (unknown.length > 0) for (const body of await readRuleBodies(sql, unknown)) read.set(body.id, evaluable(body));
      const loaded = new Map<string, LoadedRule[]>();
      for (const head of heads) {
        const rule = read.get(head.id) ?? rules.get(head.id);
        // Deleted between the two reads.
        if (rule === undefined || rule.tenantId !== head.tenantId) continue;
        keep(rule);
        const ofTenant = loaded.get(head.tenantId);
        if (ofTenant === undefined) loaded.set(head.tenantId, [{ rule, head }]);
        else ofTenant.push({ rule, head });
      }
      return loaded;
    },
  };
}

function evaluable({ tenantId, id, version, key, name, spec }: RuleBody): EvaluableRule {
  const rule = spec as RuleSpec;
  return { tenantId, id, version, key, name, labels: rule.labels ?? {}, compiled: compileRule(rule) };
}
