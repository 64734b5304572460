import type { PackRemoval } from '@tocsin/contracts';
import {
  closeAlertsOfRule,
  deleteInstalledPack,
  deleteRule,
  findInstalledPack,
  lockPackRules,
  lockPacks,
  refreshSchedule,
  setRulePack,
} from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { changeRule } from '../rules/save-rule.ts';
import { verb } from '../verb.ts';
import { findPack } from './find-pack.ts';
import { isChanged } from './plan-pack.ts';

interface Input {
  key: string;
  body: undefined;
}

/** Deletes the rules that came with the pack, but for those that people changed: these are their own from now on. Ends the open alerts of what goes. */
export const uninstallPack = verb('rules:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<PackRemoval> => {
  const { key } = findPack(ctx, input.key);
  const { tenantId } = ctx;
  return changeRule(ctx, async (tx) => {
    await lockPacks(tx, tenantId);
    if ((await findInstalledPack(tx, tenantId, key)) === null) throw notFound('installed pack');
    const output: PackRemoval = { key, deleted: [], kept: [] };
    const triggerIds: string[] = [];
    for (const row of await lockPackRules(tx, tenantId, key)) {
      if (isChanged(row)) {
        await setRulePack(tx, tenantId, row.id, null);
        output.kept.push(row.key);
        continue;
      }
      triggerIds.push(...(await closeAlertsOfRule(tx, tenantId, row.id, 'rule_deleted')));
      await deleteRule(tx, tenantId, row.id);
      await audit(tx, ctx, 'rule.deleted', row.id, { key: row.key, version: row.version });
      output.deleted.push(row.key);
    }
    await deleteInstalledPack(tx, tenantId, key);
    await refreshSchedule(tx, tenantId);
    await audit(tx, ctx, 'pack.uninstalled', key, { rules: output.deleted.length, kept: output.kept.length });
    return { output, triggerIds, needsHours: false };
  });
});
