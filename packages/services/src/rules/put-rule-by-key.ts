import type { ShownRule } from '@tocsin/contracts';
import { lockRule } from '@tocsin/db';
import { AppError, invalid } from '../app-error.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { knownMetrics } from '../metrics/known-metrics.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { readRuleBody } from './read-rule-body.ts';
import { changeRule, storeChangedRule, storeNewRule } from './save-rule.ts';

interface Input {
  key: string;
  body: unknown;
  ifMatch: string | undefined;
}

interface Put {
  isNew: boolean;
  rule: ShownRule;
}

/** Makes the rule of that key what is sent, whole: what is left out has its default, but for `enabled`, which stays. */
export const putRuleByKey = verb('rules:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Put> => {
  const { key, ifMatch } = input;
  const { spec, enabled } = await readRuleBody(withKey(input.body, key), boundsOf(ctx).rule, knownMetrics(ctx));
  const put = (): Promise<Put> =>
    changeRule<Put>(ctx, async (tx) => {
      const before = await lockRule(tx, ctx.tenantId, { key });
      if (before !== null) {
        requireVersion(ifMatch, before.version);
        const { output: rule, ...told } = await storeChangedRule(ctx, tx, before, spec, enabled ?? before.enabled);
        return { output: { isNew: false, rule }, ...told };
      }
      if (ifMatch !== undefined) throw new AppError('version_mismatch', 'There is no rule with this key.');
      const { output: rule, ...told } = await storeNewRule(ctx, tx, spec, enabled ?? true);
      return { output: { isNew: true, rule }, ...told };
    });
  return put().catch((error: unknown) => {
    // Somebody made the rule between the look and the insert: now it is there to be changed.
    if (error instanceof AppError && error.code === 'key_taken') return put();
    throw error;
  });
});

/** The path's key goes into the body. Throws a 422 when the body names another. */
function withKey(body: unknown, key: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  if ('key' in body && body.key !== key) throw invalid([{ pointer: '/key', code: 'conflict', message: 'is not the key in the path' }]);
  return { ...body, key };
}
