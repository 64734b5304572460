import type { ShownRule } from '@tocsin/contracts';
import { findRule, lockRule, releaseRule, type DrizzleTx, type RuleRow } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { changeRule, storeChangedRule } from './save-rule.ts';

interface Input {
  id: string;
  body: undefined;
}

/** Enabling a rule that is enabled and in quarantine ends that. Answers the rule as it is then. */
async function released(ctx: Context, tx: DrizzleTx, rule: RuleRow): Promise<RuleRow> {
  const { tenantId } = ctx;
  if (!(await releaseRule(tx, tenantId, rule.id))) return rule;
  await audit(tx, ctx, 'rule.released', rule.id, { key: rule.key, version: rule.version });
  return (await findRule(tx, tenantId, { id: rule.id })) ?? rule;
}

/** Doing it twice is no error and no second version. */
const setEnabled = (isEnabled: boolean) =>
  verb('rules:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<ShownRule> => {
    const id = idFrom(input.id, 'rule');
    return changeRule(ctx, async (tx) => {
      const before = await lockRule(tx, ctx.tenantId, { id });
      if (before === null) throw notFound('rule');
      const rule = isEnabled && before.enabled ? await released(ctx, tx, before) : before;
      return storeChangedRule(ctx, tx, rule, null, isEnabled);
    });
  });

export const enableRule = setEnabled(true);

/** Ends the rule's open alerts. */
export const disableRule = setEnabled(false);
