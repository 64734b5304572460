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
}

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
    async load(sql, tenantIds) {
      const heads = await readRuleHeads(sql, tenantIds);
      const unknown = heads.filter((head) => rules.get(head.id)?.version !== head.version);
      const read = new Map<string, EvaluableRule | UnreadableRule>();
      if (unknown.length > 0) for (const body of await readRuleBodies(sql, unknown)) read.set(body.id, ruleOf(body));
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

function ruleOf({ tenantId, id, version, key, name, spec }: RuleBody): EvaluableRule | UnreadableRule {
  const rule = spec as RuleSpec;
  try {
    return { tenantId, id, version, key, name, labels: rule.labels ?? {}, compiled: compileRule(rule) };
  } catch (error) {
    return { tenantId, id, version, fault: error instanceof Error ? error.message : 'unknown' };
  }
}
