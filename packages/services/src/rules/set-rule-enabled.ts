import type { ShownRule } from '@tocsin/contracts';
import { lockRule } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { changeRule, storeChangedRule } from './save-rule.ts';

interface Input {
  id: string;
  body: undefined;
}

/** Doing it twice is no error and no second version. */
const setEnabled = (isEnabled: boolean) =>
  verb('rules:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<ShownRule> => {
    const id = idFrom(input.id, 'rule');
    return changeRule(ctx, async (tx) => {
      const before = await lockRule(tx, ctx.tenantId, { id });
      if (before === null) throw notFound('rule');
      return storeChangedRule(ctx, tx, before, null, isEnabled);
    });
  });

export const enableRule = setEnabled(true);

/** Ends the rule's open alerts. */
export const disableRule = setEnabled(false);
