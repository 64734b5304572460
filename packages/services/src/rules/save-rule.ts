import type { ShownRule } from '@tocsin/contracts';
import {
  closeAlertsOfRule,
  type CloseReason,
  countRules,
  type DrizzleTx,
  insertRule,
  newId,
  refreshSchedule,
  type RuleRow,
  sqlState,
  updateRule,
} from '@tocsin/db';
import { hoursNeededBy, readStoredRule, type RuleSpec } from '@tocsin/domain';
import { dispatchTrigger } from '@tocsin/queue';
import { hintPreparation, sendHints } from '@tocsin/pipeline';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { checkNotify } from './check-notify.ts';
import { checkNotReferred, checkReferences } from './check-references.ts';
import { checkSavedMetrics } from './check-saved-metrics.ts';
import { fieldsOf } from './read-rule-body.ts';
import { viewRules } from './rule-view.ts';

/** What a change to a rule did beside its answer. */
interface Told<Output> {
  output: Output;
  /** Triggers the change made, to be hinted once it is committed. */
  triggerIds: readonly string[];
  /** The rule looks at closed hours that may have to be prepared. */
  needsHours: boolean;
}

/** Runs a change to a rule in one transaction, then hints what it made. */
export async function changeRule<Output>(ctx: Context, work: (tx: DrizzleTx) => Promise<Told<Output>>): Promise<Output> {
  let triggerIds: readonly string[] = [];
  let needsHours = false;
  const output = await change(ctx, async (tx) => {
    const told = await work(tx);
    ({ triggerIds, needsHours } = told);
    return told.output;
  }).catch((error: unknown) => {
    throw sqlState(error) === UNIQUE_VIOLATION
      ? new AppError('key_taken', 'There is a rule with this key already.', { cause: error })
      : error;
  });
  await sendHints(
    ctx,
    dispatchTrigger,
    triggerIds.map((triggerId) => ({ tenantId: ctx.tenantId, triggerId })),
  );
  if (needsHours) await hintPreparation(ctx, ctx.tenantId);
  return output;
}

const UNIQUE_VIOLATION = '23505';

/** Throws a 409 for a key that is taken and a 422 past the tenant's limit. */
export async function storeNewRule(ctx: Context, tx: DrizzleTx, spec: RuleSpec, enabled: boolean): Promise<Told<ShownRule>> {
  const { tenantId, actor } = ctx;
  await checkNotify(tx, tenantId, spec);
  await checkSavedMetrics(tx, tenantId, spec);
  const row = await insertRule(tx, { tenantId, id: newId(), spec, enabled, actor });
  if (row === null) throw new AppError('key_taken', `There is a rule with the key '${spec.key}' already.`);
  // It holds the lock of the tenant's schedule, so that rules are counted one change at a time.
  await refreshSchedule(tx, tenantId);
  await checkReferences(tx, tenantId, spec);
  const { rulesPerTenant } = boundsOf(ctx);
  if ((await countRules(tx, tenantId)) > rulesPerTenant)
    throw new AppError('bound_exceeded', `A tenant has at most ${rulesPerTenant} rules.`);
  await audit(tx, ctx, 'rule.created', row.id, { key: row.key, enabled });
  return { output: await shown(ctx, tx, row), triggerIds: [], needsHours: needsHours(row) };
}

/**
 * Stores a rule's next version; the caller holds the row's lock. What changes nothing makes no version.
 * @param spec null: its words stay, whatever they are
 */
export async function storeChangedRule(
  ctx: Context,
  tx: DrizzleTx,
  before: RuleRow,
  spec: RuleSpec | null,
  enabled: boolean,
): Promise<Told<ShownRule>> {
  const isSame = enabled === before.enabled && (spec === null || isDeepStrictEqual(spec, before.spec));
  if (isSame) return { output: await shown(ctx, tx, before), triggerIds: [], needsHours: false };
  const { tenantId, actor } = ctx;
  if (spec !== null && !isDeepStrictEqual(spec.notify, fieldsOf(before.spec)['notify'])) await checkNotify(tx, tenantId, spec);
  if (spec !== null && !isDeepStrictEqual(spec.condition, fieldsOf(before.spec)['condition'])) await checkSavedMetrics(tx, tenantId, spec);
  const row = await updateRule(tx, { tenantId, id: before.id, spec, enabled, actor });
  const reason = reasonToClose(before, row);
  const triggerIds = reason === null ? [] : await closeAlertsOfRule(tx, tenantId, row.id, reason);
  await refreshSchedule(tx, tenantId);
  if (spec !== null) await checkReferences(tx, tenantId, spec);
  if (row.key !== before.key) await checkNotReferred(tx, tenantId, before.key);
  await audit(tx, ctx, 'rule.updated', row.id, { key: row.key, version: row.version, enabled, fields: changedFields(before, row) });
  return { output: await shown(ctx, tx, row), triggerIds, needsHours: needsHours(row) };
}

function needsHours({ enabled, spec }: RuleRow): boolean {
  const read = enabled ? readStoredRule(spec) : null;
  return read?.ok === true && hoursNeededBy(read.compiled).length > 0;
}

function reasonToClose(before: RuleRow, after: RuleRow): CloseReason | null {
  if (before.enabled && !after.enabled) return 'rule_disabled';
  const changed = changedFields(before, after);
  if (changed.includes('condition') || changed.includes('groupBy')) return 'rule_changed';
  // What a shadow rule found told nobody: promoted, it begins afresh and tells what still holds. The record of what it found stays.
  return changed.includes('mode') ? 'rule_mode_changed' : null;
}

function changedFields({ spec: before }: RuleRow, { spec: after }: RuleRow): string[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((field) => !isDeepStrictEqual(old[field], now[field]));
}

async function shown({ tenantId }: Context, tx: DrizzleTx, row: RuleRow): Promise<ShownRule> {
  const [rule] = await viewRules(tx, tenantId, [row]);
  if (rule === undefined) throw new Error('one rule was shown as none');
  return rule;
}
