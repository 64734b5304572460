import { countRuleFailures, forgetRuleFailures, newId, putOwnerNotices, type QuarantinedRule, type SqlTx } from '@tocsin/db';
import type { RuleOutcome } from './judge-rule.ts';

/** Whether the rule's row has to say anew how it behaves. A rule that works and always did writes nothing. */
export function changesConduct({ head: { marks }, conduct, isJudged }: RuleOutcome): boolean {
  if (conduct.kind === 'failed') return true;
  if (!isJudged || marks === null) return false;
  return marks.pausedAfterMs !== null || (conduct.kind === 'worked' && marks.failures > 0);
}

/**
 * Counts what failed, forgets what works again, and tells the owners of the rules that are in quarantine now, once for all quarantines that
 * follow upon each other. Answers those rules. The outcomes are of rules that are locked.
 */
export async function recordConduct(sql: SqlTx, outcomes: readonly RuleOutcome[]): Promise<QuarantinedRule[]> {
  const changed = outcomes.filter(changesConduct);
  const failures = changed.flatMap(({ planned: { rule, slotMs }, conduct, isJudged }) =>
    conduct.kind === 'failed' ? { tenantId: rule.tenantId, ruleId: rule.id, slotMs, reason: conduct.reason, isJudged } : [],
  );
  const judged = changed.flatMap(({ planned: { rule }, conduct }) =>
    conduct.kind === 'failed' ? [] : { tenantId: rule.tenantId, ruleId: rule.id, works: conduct.kind === 'worked' },
  );
  const [quarantined] = await Promise.all([
    failures.length === 0 ? [] : countRuleFailures(sql, failures),
    judged.length === 0 ? undefined : forgetRuleFailures(sql, judged),
  ]);
  const news = quarantined.filter(({ times }) => times === 1);
  if (news.length > 0) await putOwnerNotices(sql, news.map(noticeOf));
  return quarantined;
}

function noticeOf({ tenantId, ruleId, name, reason, untilMs }: QuarantinedRule) {
  const id = newId();
  const until = new Date(untilMs).toISOString();
  return {
    tenantId,
    id,
    aboutId: id,
    title: `The rule “${name}” is in quarantine`,
    body: {
      kind: 'rule_quarantined',
      ruleId,
      reason,
      until,
      text: `It failed three times in a row (${reason}), so it is not evaluated: its alerts stay as they are, and your other rules go on. It is tried again at ${until}, and then after longer and longer pauses of up to a day. Change it, or enable it again, to have it evaluated at once.`,
    },
  };
}
