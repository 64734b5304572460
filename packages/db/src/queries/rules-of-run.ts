import type { EpochMs, Health } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** What a run must know of each enabled rule every time; the rest is read once per version. */
export interface RuleHead {
  tenantId: string;
  id: string;
  version: number;
  health: Health;
  healthReason: string | null;
  /** Null for nearly every rule: one that works and always did. */
  marks: RuleMarks | null;
  /** The newest slot off its own grid at which it was evaluated, by a run that was not scheduled; null: none. */
  extraSlotMs: EpochMs | null;
}

/** What is out of the ordinary about a rule. */
export interface RuleMarks {
  /** Looks in a row that failed. */
  failures: number;
  /** The last slot before a quarantine that is over; nobody has looked since. */
  pausedAfterMs: EpochMs | null;
  /** The delay of its newest slot, where it follows how late events come and is not where it starts. */
  delayMs: number | null;
}

/** The rules that are to be looked at: enabled, and not in quarantine now. */
export async function readRuleHeads(sql: SqlTx, tenantIds: readonly string[]): Promise<RuleHead[]> {
  return sql<RuleHead[]>`
    select tenant_id as "tenantId", id, version, health, health_reason as "healthReason",
      case when failures > 0 or paused_after is not null or delay_ms is not null then
        jsonb_build_object('failures', failures, 'pausedAfterMs', (extract(epoch from paused_after) * 1000)::float8, 'delayMs', delay_ms)
      end as marks,
      extra_slot_at as "extraSlotMs"
    from rules
    where tenant_id = any(${tenantIds as string[]}::uuid[]) and enabled and (quarantined_until is null or quarantined_until <= tocsin_now())
    order by tenant_id, id`;
}

export interface RuleBody {
  tenantId: string;
  id: string;
  version: number;
  key: string;
  name: string;
  spec: unknown;
  /** The pack it came with; null: none. */
  packKey: string | null;
}

export async function readRuleBodies(sql: SqlTx, rules: readonly { tenantId: string; id: string }[]): Promise<RuleBody[]> {
  return sql<RuleBody[]>`
    select rules.tenant_id as "tenantId", rules.id, rules.version, rules.key, rules.name, rules.spec, rules.pack_key as "packKey"
    from unnest(${rules.map((rule) => rule.tenantId)}::uuid[], ${rules.map((rule) => rule.id)}::uuid[]) as wanted (tenant_id, id)
    join rules on rules.tenant_id = wanted.tenant_id and rules.id = wanted.id`;
}

/** Locks those of the rules that are still enabled and at the version they were read at; answers their ids. */
export async function lockCurrentRules(
  sql: SqlTx,
  rules: readonly { tenantId: string; ruleId: string; version: number }[],
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select rules.id
    from unnest(
      ${rules.map((rule) => rule.tenantId)}::uuid[], ${rules.map((rule) => rule.ruleId)}::uuid[], ${rules.map((rule) => rule.version)}::int[]
    ) as used (tenant_id, id, version)
    join rules on rules.tenant_id = used.tenant_id and rules.id = used.id
    where rules.version = used.version and rules.enabled
    order by rules.tenant_id, rules.id
    for share of rules`;
  return rows.map((row) => row.id);
}

export interface RuleNews {
  tenantId: string;
  ruleId: string;
  health: Health;
  healthReason: string | null;
  /** Null: it did not fire. */
  lastTriggeredMs: EpochMs | null;
  newTriggers: number;
}

export async function recordRuleNews(sql: SqlTx, news: readonly RuleNews[]): Promise<void> {
  await sql`
    update rules
    set health = new.health, health_reason = new.health_reason, trigger_count = trigger_count + new.triggers,
        last_triggered_at = greatest(last_triggered_at, to_timestamp(new.last_triggered / 1000))
    from unnest(
      ${news.map((each) => each.tenantId)}::uuid[], ${news.map((each) => each.ruleId)}::uuid[], ${news.map((each) => each.health)}::text[],
      ${news.map((each) => each.healthReason)}::text[], ${news.map((each) => each.newTriggers)}::int[],
      ${news.map((each) => each.lastTriggeredMs)}::float8[]
    ) as new (tenant_id, id, health, health_reason, triggers, last_triggered)
    where rules.tenant_id = new.tenant_id and rules.id = new.id`;
}

/** Keeps the delays that rules have come to. The rules must be locked. */
export async function setRuleDelays(sql: SqlTx, delays: readonly { tenantId: string; ruleId: string; delayMs: number }[]): Promise<void> {
  await sql`
    update rules set delay_ms = new.delay_ms
    from unnest(
      ${delays.map(({ tenantId }) => tenantId)}::uuid[], ${delays.map(({ ruleId }) => ruleId)}::uuid[], ${delays.map(({ delayMs }) => delayMs)}::int[]
    ) as new (tenant_id, id, delay_ms)
    where rules.tenant_id = new.tenant_id and rules.id = new.id`;
}

/** Notes that these rules were evaluated at a slot off their grid. The rows must be locked. */
export async function recordExtraSlots(
  sql: SqlTx,
  evaluated: readonly { tenantId: string; ruleId: string; slotMs: EpochMs }[],
): Promise<void> {
  await sql`
    update rules set extra_slot_at = to_timestamp(new.slot / 1000)
    from unnest(
      ${evaluated.map((each) => each.tenantId)}::uuid[], ${evaluated.map((each) => each.ruleId)}::uuid[], ${evaluated.map((each) => each.slotMs)}::float8[]
    ) as new (tenant_id, id, slot)
    where rules.tenant_id = new.tenant_id and rules.id = new.id`;
}
