import { type DrizzleTx, referencesOf, rulesByKey, someRuleKeys } from '@tocsin/db';
import { cycleFrom, didYouMean, leavesOf, type RuleSpec } from '@tocsin/domain';
import { AppError, invalid } from '../app-error.ts';

/**
 * Every rule that a condition refers to must exist, and none may lead back to the rule itself. The caller holds the lock of the tenant's rules, so that two
 * changes at a time cannot close a circle. Throws a 422.
 */
export async function checkReferences(tx: DrizzleTx, tenantId: string, spec: RuleSpec): Promise<void> {
  const referred = [...new Set(leavesOf(spec.condition).flatMap((leaf) => ('rule' in leaf ? [leaf.rule] : [])))];
  if (referred.length === 0) return;
  const known = new Set((await rulesByKey(tx, tenantId, referred)).map(({ key }) => key)).add(spec.key);
  const unknown = referred.filter((key) => !known.has(key));
  if (unknown.length > 0) {
    const candidates = await someRuleKeys(tx, tenantId);
    throw invalid(
      unknown.map((key) => ({
        pointer: '/condition',
        code: 'unknown_rule',
        message: `There is no rule '${key}'.${didYouMean(key, candidates)}`,
      })),
    );
  }
  const cycle = cycleFrom({ key: spec.key, references: referred }, await referencesOf(tx, tenantId));
  if (cycle === null) return;
  throw invalid([{ pointer: '/condition', code: 'cycle', message: `The rule would depend on itself: ${cycle.join(' → ')}.` }]);
}

/** A rule that others refer to stays. Throws a 409 that names them. */
export async function checkNotReferred(tx: DrizzleTx, tenantId: string, key: string): Promise<void> {
  const others = (await referencesOf(tx, tenantId)).filter((rule) => rule.key !== key && rule.references.includes(key));
  if (others.length === 0) return;
  const named = others.slice(0, 5).map((rule) => `'${rule.key}'`);
  throw new AppError('rule_in_use', `Other rules refer to it: ${named.join(', ')}${others.length > 5 ? ' and more' : ''}.`);
}
