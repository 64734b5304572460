import type { RuleRow } from '@tocsin/db';
import { readStoredRule, type RuleSpec } from '@tocsin/domain';
import { isDeepStrictEqual } from 'node:util';
import { fieldsOf } from '../rules/read-rule-body.ts';
import { type PackRule, wordsDigest } from './pack.ts';

type Notify = RuleSpec['notify'];

interface ToStore {
  spec: RuleSpec;
  enabled: boolean;
  /** Of the pack's words. */
  digest: string;
  /** The pack's channels for it; another than the rule's own where people chose those. */
  packNotify: Notify;
}

/** What becomes of one rule when its pack is installed, and why. */
export type PlannedRule = { key: string } & (
  | ({ action: 'create' } & ToStore)
  | ({ action: 'update'; row: RuleRow } & ToStore)
  /** Shipped no more: it is switched off. */
  | { action: 'retire'; row: RuleRow }
  | { action: 'unchanged'; row: RuleRow }
  /** `own_rule`: the tenant has a rule of that key; `changed`: people changed it; `deleted`: people deleted it. */
  | { action: 'kept'; row: RuleRow | null; reason: 'own_rule' | 'changed' | 'deleted' }
);

export interface PackPlan {
  packKey: string;
  rules: readonly PackRule[];
  /** The tenant's rules of these keys or of this pack. */
  rows: readonly RuleRow[];
  /** Of the installed pack. */
  gone: Readonly<Record<string, 'deleted' | 'retired'>>;
  /** The channels a rule is to tell. One whose channels people chose themselves keeps those. */
  notifyOf: (rule: PackRule) => Notify;
}

/** Pure: what an installation would do, rule by rule in the order of the pack. */
export function planPack({ packKey, rules, rows, gone, notifyOf }: PackPlan): PlannedRule[] {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const shipped = new Set(rules.map(({ spec }) => spec.key));
  const planned = rules.map((rule) => planRule(packKey, rule, byKey.get(rule.spec.key) ?? null, gone[rule.spec.key], notifyOf(rule)));
  const left = rows.filter((row) => row.packKey === packKey && !shipped.has(row.key) && gone[row.key] !== 'retired');
  return [
    ...planned,
    ...left.map((row): PlannedRule =>
      isChanged(row) ? { key: row.key, action: 'kept', row, reason: 'changed' } : { key: row.key, action: 'retire', row },
    ),
  ];
}

function planRule(
  packKey: string,
  rule: PackRule,
  row: RuleRow | null,
  gone: 'deleted' | 'retired' | undefined,
  wanted: Notify,
): PlannedRule {
  const { key } = rule.spec;
  const digest = wordsDigest(rule.spec);
  if (row === null) {
    if (gone === 'deleted') return { key, action: 'kept', row, reason: 'deleted' };
    return { key, action: 'create', spec: { ...rule.spec, notify: wanted }, enabled: rule.enabled, digest, packNotify: wanted };
  }
  if (row.packKey !== packKey) return { key, action: 'kept', row, reason: 'own_rule' };
  const stored = readStoredRule(row.spec);
  const told = stored.ok && !isDeepStrictEqual(stored.spec.notify, row.packNotify) ? stored.spec.notify : wanted;
  if (isChanged(row)) {
    // Its words are people's now; where it tells is still the pack's to say, unless they changed that too.
    if (!stored.ok || isDeepStrictEqual(stored.spec.notify, told)) return { key, action: 'kept', row, reason: 'changed' };
    const spec = { ...stored.spec, notify: told };
    return { key, action: 'update', row, spec, enabled: row.enabled, digest: row.packDigest ?? '', packNotify: wanted };
  }
  const spec = { ...rule.spec, notify: told };
  const enabled = gone === 'retired' ? rule.enabled : row.enabled;
  const isSame = stored.ok && isDeepStrictEqual(stored.spec, spec) && enabled === row.enabled;
  return isSame ? { key, action: 'unchanged', row } : { key, action: 'update', row, spec, enabled, digest, packNotify: wanted };
}

/** Whether people changed a rule's words since it came with its pack. */
export const isChanged = (row: RuleRow): boolean => wordsDigest(fieldsOf(row.spec)) !== row.packDigest;
