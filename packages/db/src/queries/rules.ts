import { DRILL_PREFIX, PHASES, type Health, type Phase, type RuleSpec, type Severity } from '@tocsin/domain';
import { and, count, desc, eq, ilike, inArray, lt, notLike, or, type SQL, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type RuleRow, rules, ruleVersions, seriesStates } from '../tables/rules.ts';
import type { DrizzleTx } from '../with-tenants.ts';
import { releasedFromQuarantine } from './rule-quarantine.ts';

export interface NewRule {
  tenantId: string;
  id: string;
  spec: RuleSpec;
  enabled: boolean;
  actor: string;
}

/** Stores a rule and its first version. Null: its key is taken. */
export async function insertRule(tx: DrizzleTx, { tenantId, id, spec, enabled, actor }: NewRule): Promise<RuleRow | null> {
  const { key, name } = spec;
  const [row] = await tx
    .insert(rules)
    .values({ tenantId, id, key, name, spec, enabled, createdBy: actor, updatedBy: actor })
    .onConflictDoNothing({ target: [rules.tenantId, rules.key] })
    .returning();
  if (row !== undefined) await insertVersion(tx, row);
  return row ?? null;
}

export interface ChangedRule extends Omit<NewRule, 'spec'> {
  /** Null: its words stay as they are. */
  spec: RuleSpec | null;
}

/** Stores a changed rule as its next version, which is not in quarantine. The caller holds the row's lock. */
export async function updateRule(tx: DrizzleTx, { tenantId, id, spec, enabled, actor }: ChangedRule): Promise<RuleRow> {
  const words = spec === null ? {} : { key: spec.key, name: spec.name, spec };
  const [row] = await tx
    .update(rules)
    .set({ ...words, ...releasedFromQuarantine, enabled, version: sql`${rules.version} + 1`, updatedAtMs: tocsinNow, updatedBy: actor })
    .where(and(eq(rules.tenantId, tenantId), eq(rules.id, id)))
    .returning();
  if (row === undefined) throw new Error('a rule under lock is gone');
  await insertVersion(tx, row);
  return row;
}

/** Its series and versions go along; its alerts and their history stay. */
export async function deleteRule(tx: DrizzleTx, tenantId: string, id: string): Promise<void> {
  await tx.delete(rules).where(and(eq(rules.tenantId, tenantId), eq(rules.id, id)));
}

export async function findRule(tx: DrizzleTx, tenantId: string, by: { id: string } | { key: string }): Promise<RuleRow | null> {
  const [row] = await tx.select().from(rules).where(oneRule(tenantId, by));
  return row ?? null;
}

/** Keeps everybody else from changing the rule until the transaction ends. */
export async function lockRule(tx: DrizzleTx, tenantId: string, by: { id: string } | { key: string }): Promise<RuleRow | null> {
  const [row] = await tx.select().from(rules).where(oneRule(tenantId, by)).for('update');
  return row ?? null;
}

export interface RuleFilter {
  /** Rules older than the one of this id; null: from the newest. */
  beforeId: string | null;
  limit: number;
  enabled: boolean | null;
  severity: Severity | null;
  health: Health | null;
  state: Phase | null;
  /** Part of a key or name, in any case. */
  search: string | null;
  /** The key of a saved metric that a comparison of theirs looks at; absent: whatever they look at. */
  savedMetric?: string;
}

/** A condition: it is not of a fire drill, whose rule nobody sees. */
export const isOfPeople = notLike(rules.key, `${DRILL_PREFIX}%`);

/** Newest first. */
export async function selectRules(tx: DrizzleTx, tenantId: string, filter: RuleFilter): Promise<RuleRow[]> {
  const { beforeId, enabled, severity, health, state, search, savedMetric } = filter;
  const conditions: (SQL | undefined)[] = [
    eq(rules.tenantId, tenantId),
    isOfPeople,
    beforeId === null ? undefined : lt(rules.id, beforeId),
    enabled === null ? undefined : eq(rules.enabled, enabled),
    severity === null ? undefined : hasSeverity(severity),
    health === null ? undefined : eq(rules.health, health),
    state === null ? undefined : sql`coalesce((${worstPhaseOf(sql`${rules.id}`)}), 'ok') = ${state}`,
    search === null ? undefined : or(ilike(rules.key, containing(search)), ilike(rules.name, containing(search))),
    savedMetric === undefined ? undefined : looksAt(savedMetric),
  ];
  return tx
    .select()
    .from(rules)
    .where(and(...conditions))
    .orderBy(desc(rules.id))
    .limit(filter.limit);
}

/** The worst phase of each rule's series, by rule id; a rule without series is absent. */
export async function worstPhases(tx: DrizzleTx, tenantId: string, ruleIds: readonly string[]): Promise<Map<string, Phase>> {
  if (ruleIds.length === 0) return new Map();
  const rows = await tx
    .select({ ruleId: seriesStates.ruleId, phase: worstPhase })
    .from(seriesStates)
    .where(and(eq(seriesStates.tenantId, tenantId), inArray(seriesStates.ruleId, [...ruleIds])))
    .groupBy(seriesStates.ruleId);
  return new Map(rows.map(({ ruleId, phase }) => [ruleId, phase]));
}

export async function countRules(tx: DrizzleTx, tenantId: string): Promise<number> {
  const [row] = await tx
    .select({ rules: count() })
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), isOfPeople));
  return row?.rules ?? 0;
}

/** Names of the rules that tell a channel, in their order. */
export async function namesOfRulesNotifying(tx: DrizzleTx, tenantId: string, channelKey: string): Promise<string[]> {
  const notifies = JSON.stringify([{ channel: channelKey }]);
  const rows = await tx
    .select({ name: rules.name })
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), isOfPeople, sql`${rules.spec} -> 'notify' @> ${notifies}::text::jsonb`))
    .orderBy(rules.name);
  return rows.map(({ name }) => name);
}

/** Keys of the rules that look at a saved metric, in their order. */
export async function keysOfRulesLookingAt(tx: DrizzleTx, tenantId: string, savedMetric: string): Promise<string[]> {
  const rows = await tx
    .select({ key: rules.key })
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), looksAt(savedMetric)))
    .orderBy(rules.key);
  return rows.map(({ key }) => key);
}

async function insertVersion(tx: DrizzleTx, { tenantId, id }: RuleRow): Promise<void> {
  await tx.execute(sql`
    insert into ${ruleVersions} (tenant_id, rule_id, version, spec, created_by)
    select tenant_id, id, version, spec, updated_by from ${rules} where tenant_id = ${tenantId}::uuid and id = ${id}::uuid`);
}

const oneRule = (tenantId: string, by: { id: string } | { key: string }): SQL | undefined =>
  and(eq(rules.tenantId, tenantId), 'id' in by ? eq(rules.id, by.id) : eq(rules.key, by.key));

/** A comparison says its aggregation in canonical words, which tells it from a filter over a dim of that name. */
const looksAt = (savedMetric: string): SQL =>
  sql`jsonb_path_exists(${rules.spec}, '$.condition.** ? (@.metric == $key && (exists(@.aggregation) || exists(@.absentFor)))', jsonb_build_object('key', ${savedMetric}::text))`;

const MILDEST_FIRST = sql.raw(`array['${PHASES.join("','")}']`);
const worstPhase = sql<Phase>`(${MILDEST_FIRST})[max(array_position(${MILDEST_FIRST}, ${seriesStates.phase}))]`;
const worstPhaseOf = (ruleId: SQL): SQL =>
  sql`select ${worstPhase} from ${seriesStates} where ${seriesStates.tenantId} = ${rules.tenantId} and ${seriesStates.ruleId} = ${ruleId}`;

/** By itself, as a level of any of its thresholds, or of a budget, whose last step is critical and the one before a warning. */
const hasSeverity = (severity: Severity): SQL => {
  const level = `$.condition.**.threshold.${severity}`;
  const budget = {
    critical: '$.condition.**.threshold.budget',
    warning: '$.condition.**.threshold.budget.steps[1]',
    error: null,
    info: '$.condition.**.threshold.budget.steps[2]',
  }[severity];
  const graded = sql`${rules.spec} @? ${level}::text::jsonpath`;
  const anyGrade = budget === null ? graded : sql`${graded} or ${rules.spec} @? ${budget}::text::jsonpath`;
  return sql`(${rules.spec} ->> 'severity' = ${severity} or ${anyGrade})`;
};

const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;
