import type { PackSwitch } from '@tocsin/contracts';
import { findInstalledPack, lockPackRules, lockPacks } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { changeRule, storeChangedRule } from '../rules/save-rule.ts';
import { verb } from '../verb.ts';
import { findPack } from './find-pack.ts';

interface Input {
  key: string;
  body: undefined;
}

/** All rules that came with the pack, those that people changed too. Doing it twice is no error. Throws a 404 where it is not installed. */
const setPackEnabled = (isEnabled: boolean) =>
  verb('rules:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<PackSwitch> => {
    const { key } = findPack(ctx, input.key);
    const { tenantId } = ctx;
    return changeRule(ctx, async (tx) => {
      await lockPacks(tx, tenantId);
      const installed = await findInstalledPack(tx, tenantId, key);
      if (installed === null) throw notFound('installed pack');
      // What is shipped no more is not switched on again with the rest.
      const rows = (await lockPackRules(tx, tenantId, key)).filter((row) => !isEnabled || installed.gone[row.key] !== 'retired');
      const toChange = rows.filter(({ enabled }) => enabled !== isEnabled);
      const triggerIds: string[] = [];
      for (const row of toChange) triggerIds.push(...(await storeChangedRule(ctx, tx, row, null, isEnabled)).triggerIds);
      if (toChange.length > 0) await audit(tx, ctx, isEnabled ? 'pack.enabled' : 'pack.disabled', key, { rules: toChange.length });
      return { output: { key, changed: toChange.map((row) => row.key) }, triggerIds, needsHours: isEnabled && toChange.length > 0 };
    });
  });

export const enablePack = setPackEnabled(true);

/** Ends the open alerts of its rules. */
export const disablePack = setPackEnabled(false);
