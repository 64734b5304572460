import { type DrizzleTx, findInstalledPack, lockPackRules, saveInstalledPack, setRulePack } from '@tocsin/db';
import type { RuleSpec } from '@tocsin/domain';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { storeChangedRule, storeNewRule } from '../rules/save-rule.ts';
import type { PackRule } from './pack.ts';
import { planPack, type PlannedRule } from './plan-pack.ts';

export interface AppliedPack {
  /** What was done, rule by rule; a rule that was made has its id. */
  done: { planned: PlannedRule; ruleId: string | null }[];
  /** Triggers of alerts that ended with a rule's change. */
  triggerIds: string[];
  /** A rule looks at closed hours that may have to be prepared. */
  needsHours: boolean;
}

interface Application {
  key: string;
  digest: string;
  rules: readonly PackRule[];
  /** Chosen for all of its rules; null: each has its own. */
  notify: RuleSpec['notify'] | null;
  notifyOf: (rule: PackRule) => RuleSpec['notify'];
}

/** Makes a tenant's rules what the pack says, but for what people made or changed. The caller holds the lock of the tenant's packs. */
export async function applyPack(ctx: Context, tx: DrizzleTx, pack: Application): Promise<AppliedPack> {
  const { tenantId, actor } = ctx;
  const rows = await lockPackRules(
    tx,
    tenantId,
    pack.key,
    pack.rules.map(({ spec }) => spec.key),
  );
  // After the rules are locked: whoever deletes one holds its lock until what is gone is noted.
  const installed = await findInstalledPack(tx, tenantId, pack.key);
  const gone = { ...installed?.gone };
  const plan = planPack({ packKey: pack.key, rules: pack.rules, rows, gone, notifyOf: pack.notifyOf });
  const applied: AppliedPack = { done: [], triggerIds: [], needsHours: false };
  for (const planned of plan) {
    const { ruleId, triggerIds, needsHours } = await applyRule(ctx, tx, pack.key, planned);
    applied.done.push({ planned, ruleId });
    applied.triggerIds.push(...triggerIds);
    applied.needsHours ||= needsHours;
    if (planned.action === 'retire') gone[planned.key] = 'retired';
    else if (gone[planned.key] === 'retired') delete gone[planned.key];
  }
  await saveInstalledPack(tx, { tenantId, key: pack.key, digest: pack.digest, notify: pack.notify, gone, installedBy: actor });
  const isNews = installed?.digest !== pack.digest || applied.done.some(({ planned }) => !['unchanged', 'kept'].includes(planned.action));
  if (isNews) await audit(tx, ctx, 'pack.installed', pack.key, { rules: countActions(plan) });
  return applied;
}

async function applyRule(
  ctx: Context,
  tx: DrizzleTx,
  packKey: string,
  planned: PlannedRule,
): Promise<{ ruleId: string | null; triggerIds: readonly string[]; needsHours: boolean }> {
  const { tenantId } = ctx;
  switch (planned.action) {
    case 'create': {
      const { spec, enabled, digest, packNotify } = planned;
      const { output: rule, needsHours } = await storeNewRule(ctx, tx, spec, enabled);
      await setRulePack(tx, tenantId, rule.id, { key: packKey, digest, notify: packNotify });
      return { ruleId: rule.id, triggerIds: [], needsHours };
    }
    case 'update': {
      const { row, spec, enabled, digest, packNotify } = planned;
      const { triggerIds, needsHours } = await storeChangedRule(ctx, tx, row, spec, enabled);
      await setRulePack(tx, tenantId, row.id, { key: packKey, digest, notify: packNotify });
      return { ruleId: row.id, triggerIds, needsHours };
    }
    case 'retire': {
      const { triggerIds } = await storeChangedRule(ctx, tx, planned.row, null, false);
      return { ruleId: planned.row.id, triggerIds, needsHours: false };
    }
    case 'unchanged':
    case 'kept':
      return { ruleId: planned.row?.id ?? null, triggerIds: [], needsHours: false };
  }
}

function countActions(plan: readonly PlannedRule[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { action } of plan) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}
