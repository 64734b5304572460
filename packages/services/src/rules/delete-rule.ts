import { closeAlertsOfRule, deleteRule as deleteRow, lockRule, noteGone, refreshSchedule } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { checkNotReferred } from './check-references.ts';
import { changeRule } from './save-rule.ts';

interface Input {
  id: string;
  ifMatch: string | undefined;
}

/** Ends the rule's open alerts. Its alerts and what was told of them stay. */
export const deleteRule = verb('rules:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<void> => {
  const id = idFrom(input.id, 'rule');
  const { tenantId } = ctx;
  return changeRule(ctx, async (tx) => {
    const rule = await lockRule(tx, tenantId, { id });
    if (rule === null) throw notFound('rule');
    requireVersion(input.ifMatch, rule.version);
    await checkNotReferred(tx, tenantId, rule.key);
    const triggerIds = await closeAlertsOfRule(tx, tenantId, id, 'rule_deleted');
    await deleteRow(tx, tenantId, id);
    if (rule.packKey !== null) await noteGone(tx, tenantId, rule.packKey, rule.key);
    await refreshSchedule(tx, tenantId);
    await audit(tx, ctx, 'rule.deleted', id, { key: rule.key, version: rule.version });
    return { output: undefined, triggerIds, needsHours: false };
  });
});
