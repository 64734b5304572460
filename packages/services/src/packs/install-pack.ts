import { InstallPack, InstallPackQuery, type PackInstallation } from '@tocsin/contracts';
import { findInstalledPack, lockPacks, selectPackRules, withTenant } from '@tocsin/db';
import type { RuleSpec } from '@tocsin/domain';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';
import { checkNotify } from '../rules/check-notify.ts';
import { readShippedRule } from '../rules/read-rule-body.ts';
import { changeRule } from '../rules/save-rule.ts';
import { verb } from '../verb.ts';
import { applyPack } from './apply-pack.ts';
import { findPack } from './find-pack.ts';
import { isKept } from './pack-change.ts';
import { INBOX_TO_BE, makeInbox, packNotify } from './pack-notify.ts';
import type { Pack } from './pack.ts';
import { planPack, type PlannedRule } from './plan-pack.ts';

type Notify = RuleSpec['notify'];

interface Input {
  key: string;
  query: unknown;
  body: unknown;
}

/**
 * Makes the tenant's rules what the pack holds, all in one transaction. A rule of the tenant's own of the same key, one that people changed and one that
 * they deleted stay as they are. Without `notify` the channels stay as they were, at first the inbox alone.
 */
export const installPack = verb('rules:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<PackInstallation> => {
  const isDryRun = parse(InstallPackQuery, input.query, 'query').dryRun === 'true';
  const { notify: written } = parse(InstallPack, input.body);
  const pack = findPack(ctx, input.key);
  const { rule: bounds } = boundsOf(ctx);
  const [first] = pack.rules;
  const chosen =
    written === undefined || first === undefined ? null : readShippedRule({ ...first.spec, notify: written }, bounds).spec.notify;
  // An installation may allow less than the packs were written for.
  for (const { spec } of pack.rules) readShippedRule(spec, bounds);
  return isDryRun ? dryRun(ctx, pack, chosen) : install(ctx, pack, chosen);
});

/** Remembers no `Idempotency-Key`: it changes nothing. */
async function dryRun(ctx: Context, pack: Pack, chosen: Notify | null): Promise<PackInstallation> {
  const { db, tenantId } = ctx;
  return withTenant(db, tenantId, async (tx) => {
    if (chosen !== null) await checkNotify(tx, tenantId, { notify: chosen });
    const installed = await findInstalledPack(tx, tenantId, pack.key);
    const notify = (await packNotify(tx, tenantId, chosen, installed)) ?? INBOX_TO_BE;
    const keys = new Set(pack.rules.map(({ spec }) => spec.key));
    const rows = (await selectPackRules(tx, tenantId, [...keys])).filter((row) => row.packKey === pack.key || keys.has(row.key));
    const plan = planPack({ packKey: pack.key, rules: pack.rules, rows, gone: installed?.gone ?? {}, notifyOf: () => notify });
    const changes = plan.map((planned) => shown(planned, 'row' in planned ? (planned.row?.id ?? null) : null));
    return { key: pack.key, dryRun: true, notify, changes };
  });
}

function install(ctx: Context, pack: Pack, chosen: Notify | null): Promise<PackInstallation> {
  const { tenantId } = ctx;
  return changeRule(ctx, async (tx) => {
    await lockPacks(tx, tenantId);
    if (chosen !== null) await checkNotify(tx, tenantId, { notify: chosen });
    const installed = await findInstalledPack(tx, tenantId, pack.key);
    const notify = (await packNotify(tx, tenantId, chosen, installed)) ?? (await makeInbox(ctx, tx));
    const { done, triggerIds, needsHours } = await applyPack(ctx, tx, { ...pack, notify, notifyOf: () => notify });
    const changes = done.map(({ planned, ruleId }) => shown(planned, ruleId));
    return { output: { key: pack.key, dryRun: false, notify, changes }, triggerIds, needsHours };
  });
}

const shown = (planned: PlannedRule, ruleId: string | null): PackInstallation['changes'][number] => ({
  key: planned.key,
  ruleId,
  action: planned.action,
  reason: isKept(planned) ? planned.reason : null,
});
