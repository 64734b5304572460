import type { EpochMs } from '@tocsin/domain';
import { and, desc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { ruleCosts, type RuleCostRow, rules } from '../tables/rules.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';
import { isOfPeople } from './rules.ts';

/** What looking at a rule once costs, on average over its last looks. */
export interface RuleCost {
  /** Of the processor, in milliseconds. */
  ms: number;
  /** Of the newest look alone. */
  lastMs: number;
  segments: number;
  events: number;
  series: number;
  atMs: EpochMs;
}

/** Puts down what these rules cost. One that is being changed or is gone is left out. */
export async function writeRuleCosts(tx: SqlTx, costs: readonly (RuleCost & { tenantId: string; ruleId: string })[]): Promise<void> {
  const numbers = (field: 'ms' | 'lastMs' | 'segments' | 'events' | 'series' | 'atMs'): number[] => costs.map((cost) => cost[field]);
  await tx`
    insert into rule_costs (tenant_id, rule_id, ms, last_ms, segments, events, series, measured_at)
    select rules.tenant_id, rules.id, cost.ms, cost.last_ms, cost.segments, cost.events, cost.series, to_timestamp(cost.at / 1000)
    from unnest(
      ${costs.map(({ tenantId }) => tenantId)}::uuid[], ${costs.map(({ ruleId }) => ruleId)}::uuid[], ${numbers('ms')}::float8[],
      ${numbers('lastMs')}::float8[], ${numbers('segments')}::float8[], ${numbers('events')}::float8[], ${numbers('series')}::float8[],
      ${numbers('atMs')}::float8[]
    ) as cost (tenant_id, id, ms, last_ms, segments, events, series, at)
    join rules on rules.tenant_id = cost.tenant_id and rules.id = cost.id
    order by rules.tenant_id, rules.id
    for key share of rules skip locked
    on conflict (tenant_id, rule_id) do update set
      ms = excluded.ms, last_ms = excluded.last_ms, segments = excluded.segments, events = excluded.events, series = excluded.series,
      measured_at = excluded.measured_at`;
}

/** By rule; one that nobody measured yet is absent. */
export async function costsOfRules(tx: DrizzleTx, tenantId: string, ruleIds: readonly string[]): Promise<Map<string, RuleCostRow>> {
  if (ruleIds.length === 0) return new Map();
  const rows = await tx
    .select()
    .from(ruleCosts)
    .where(and(eq(ruleCosts.tenantId, tenantId), inArray(ruleCosts.ruleId, [...ruleIds])));
  return new Map(rows.map((row) => [row.ruleId, row]));
}

export interface DearRule extends RuleCostRow {
  key: string;
  name: string;
}

/** The dearest first, after the place given; null: from the first. */
export async function selectRuleCosts(
  tx: DrizzleTx,
  tenantId: string,
  after: { ms: number; ruleId: string } | null,
  limit: number,
): Promise<DearRule[]> {
  const place: SQL | undefined =
    after === null ? undefined : sql`(${ruleCosts.ms}, ${ruleCosts.ruleId}) < (${after.ms}::float8, ${after.ruleId}::uuid)`;
  const rows = await tx
    .select({ cost: ruleCosts, key: rules.key, name: rules.name })
    .from(ruleCosts)
    .innerJoin(rules, and(eq(rules.tenantId, ruleCosts.tenantId), eq(rules.id, ruleCosts.ruleId)))
    .where(and(eq(ruleCosts.tenantId, tenantId), isOfPeople, place))
    .orderBy(desc(ruleCosts.ms), desc(ruleCosts.ruleId))
    .limit(limit);
  return rows.map(({ cost, key, name }) => ({ ...cost, key, name }));
}
