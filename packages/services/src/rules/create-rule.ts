import type { ShownRule } from '@tocsin/contracts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { knownMetrics } from '../metrics/known-metrics.ts';
import { verb } from '../verb.ts';
import { readRuleBody } from './read-rule-body.ts';
import { changeRule, storeNewRule } from './save-rule.ts';

export const createRule = verb('rules:write', async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<ShownRule> => {
  const { spec, enabled = true } = await readRuleBody(input.body, boundsOf(ctx).rule, knownMetrics(ctx));
  return changeRule(ctx, (tx) => storeNewRule(ctx, tx, spec, enabled));
});
