import type { ShownRule } from '@tocsin/contracts';
import { lockRule } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { knownMetricsIn } from '../metrics/known-metrics.ts';
import { idFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { readRulePatch } from './read-rule-body.ts';
import { changeRule, storeChangedRule } from './save-rule.ts';

interface Input {
  id: string;
  body: unknown;
  ifMatch: string | undefined;
}

/** Replaces the fields sent, whole; null puts a field back to its default. Another condition or group-by ends the open alerts. */
export const updateRule = verb('rules:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<ShownRule> => {
  const id = idFrom(input.id, 'rule');
  return changeRule(ctx, async (tx) => {
    const before = await lockRule(tx, ctx.tenantId, { id });
    if (before === null) throw notFound('rule');
    requireVersion(input.ifMatch, before.version);
    const known = knownMetricsIn(tx, ctx.tenantId);
    const { spec, enabled = before.enabled } = await readRulePatch(before.spec, input.body, boundsOf(ctx).rule, known);
    return storeChangedRule(ctx, tx, before, spec, enabled);
  });
});
