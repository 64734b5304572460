import { leavesOf, readStoredRule } from '@tocsin/domain';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { type RuleRow, rules } from '../tables/rules.ts';
import type { DrizzleTx } from '../with-tenants.ts';
import { isOfPeople } from './rules.ts';

/** Some keys, to suggest one of. */
const SOME = 1_000;

export interface ReferringRule {
  key: string;
  /** Keys of the rules in its condition. */
  references: string[];
}

/** The tenant's rules whose conditions refer to others. One that cannot be read refers to none. */
export async function referencesOf(tx: DrizzleTx, tenantId: string): Promise<ReferringRule[]> {
  const rows = await tx
    .select({ key: rules.key, spec: rules.spec })
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), sql`${rules.spec} @? '$.condition.**.rule'`));
  return rows.map(({ key, spec }) => {
    const stored = readStoredRule(spec);
    const leaves = stored.ok ? leavesOf(stored.spec.condition) : [];
    return { key, references: leaves.flatMap((leaf) => ('rule' in leaf ? [leaf.rule] : [])) };
  });
}

export async function rulesByKey(tx: DrizzleTx, tenantId: string, keys: readonly string[]): Promise<RuleRow[]> {
  if (keys.length === 0) return [];
  return tx
    .select()
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), inArray(rules.key, [...keys])));
}

export async function someRuleKeys(tx: DrizzleTx, tenantId: string): Promise<string[]> {
  const rows = await tx
    .select({ key: rules.key })
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), isOfPeople))
    .limit(SOME);
  return rows.map(({ key }) => key);
}
