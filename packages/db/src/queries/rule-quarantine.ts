import type { EpochMs } from '@tocsin/domain';
import { and, eq, isNotNull, type SQL, sql } from 'drizzle-orm';
import { rules } from '../tables/rules.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';

/** So many failures in a row put a rule into quarantine; one that failed while it was tried again goes back at once. */
const FAILURES_AT_MOST = 3;
const FIRST_PAUSE_S = 3_600;
const LONGEST_PAUSE_S = 86_400;

export interface RuleFailure {
  tenantId: string;
  ruleId: string;
  slotMs: EpochMs;
  reason: string;
  /** Its series took their step all the same, so that their time goes on from this slot. */
  isJudged: boolean;
}

export interface QuarantinedRule {
  tenantId: string;
  ruleId: string;
  name: string;
  reason: string;
  untilMs: EpochMs;
  /** Quarantines in a row, this one included. */
  times: number;
}

/**
 * Counts a failure of each rule and answers those that are in quarantine now: for an hour, doubling with each quarantine that follows upon
 * another, up to a day. The rules must be locked.
 */
export async function countRuleFailures(tx: SqlTx, failures: readonly RuleFailure[]): Promise<QuarantinedRule[]> {
  return tx<QuarantinedRule[]>`
    with failed as (
      select rules.tenant_id, rules.id, given.reason, given.is_judged = 1 as is_judged, to_timestamp(given.slot / 1000) as slot_at,
        rules.failures + 1 >= ${FAILURES_AT_MOST} or rules.quarantined_at is not null as is_over,
        make_interval(secs => least(${LONGEST_PAUSE_S}::float8, ${FIRST_PAUSE_S}::float8 * power(2, least(rules.quarantines, 10)))) as pause
      from unnest(
        ${failures.map(({ tenantId }) => tenantId)}::uuid[], ${failures.map(({ ruleId }) => ruleId)}::uuid[],
        ${failures.map(({ reason }) => reason)}::text[], ${failures.map(({ slotMs }) => slotMs)}::float8[],
        ${failures.map(({ isJudged }) => Number(isJudged))}::int[]
      ) as given (tenant_id, id, reason, slot, is_judged)
      join rules on rules.tenant_id = given.tenant_id and rules.id = given.id
    ), counted as (
      update rules set
        failures = rules.failures + 1,
        quarantines = case when is_over then rules.quarantines + 1 else rules.quarantines end,
        quarantined_at = case when is_over then slot_at end,
        quarantined_until = case when is_over then tocsin_now() + pause end,
        paused_after = case
          when is_over then case when is_judged then slot_at else coalesce(rules.paused_after, slot_at) end
          when not is_judged then rules.paused_after
        end,
        health = case when is_over then 'error' else rules.health end,
        health_reason = case when is_over then 'quarantined: ' || failed.reason else rules.health_reason end
      from failed
      where rules.tenant_id = failed.tenant_id and rules.id = failed.id
      returning rules.tenant_id, rules.id, rules.name, failed.reason, rules.quarantined_until, rules.quarantines, is_over
    )
    select tenant_id as "tenantId", id as "ruleId", name, reason, quarantined_until as "untilMs", quarantines as times from counted
    where is_over`;
}

export interface JudgedRule {
  tenantId: string;
  ruleId: string;
  /** False: it was kept from working by what is not its own fault. */
  works: boolean;
}

/** Rules that were looked at again: their time goes on, and of those that work nothing is held against them any more. */
export async function forgetRuleFailures(tx: SqlTx, judged: readonly JudgedRule[]): Promise<void> {
  await tx`
    update rules set
      paused_after = null,
      failures = case when works = 1 then 0 else failures end,
      quarantines = case when works = 1 then 0 else quarantines end,
      quarantined_at = case when works = 1 then null else quarantined_at end,
      quarantined_until = case when works = 1 then null else quarantined_until end
    from unnest(
      ${judged.map(({ tenantId }) => tenantId)}::uuid[], ${judged.map(({ ruleId }) => ruleId)}::uuid[], ${judged.map(({ works }) => Number(works))}::int[]
    ) as judged (tenant_id, id, works)
    where rules.tenant_id = judged.tenant_id and rules.id = judged.id`;
}

/** What of a rule's row says that it is out of quarantine, by people's hand. How it does is for its next slot to say; until then its trouble is shown. */
export const releasedFromQuarantine = {
  failures: 0,
  quarantines: 0,
  quarantinedAtMs: null,
  quarantinedUntilMs: null,
  healthReason: sql`regexp_replace(${rules.healthReason}, '^quarantined: ', '')`,
} satisfies Record<string, number | null | SQL>;

/** Answers whether it was in quarantine. */
export async function releaseRule(tx: DrizzleTx, tenantId: string, id: string): Promise<boolean> {
  const released = await tx
    .update(rules)
    .set(releasedFromQuarantine)
    .where(and(eq(rules.tenantId, tenantId), eq(rules.id, id), isNotNull(rules.quarantinedAtMs)))
    .returning({ id: rules.id });
  return released.length > 0;
}
