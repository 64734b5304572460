import { DRILL_PREFIX, type EpochMs, type Severity } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

/** Times in milliseconds; null where there is nothing to take them of. */
export interface AlertTotals {
  total: number;
  open: number;
  critical: number;
  resolved: number;
  /** Of those resolved by themselves, how many within two minutes of their start. */
  autoResolved: number;
  autoResolvedSoon: number;
  detectionP50Ms: number | null;
  detectionP95Ms: number | null;
  /** Means, of those that were acknowledged or resolved. */
  toAcknowledgeMs: number | null;
  toResolveMs: number | null;
  noise: number;
}

export interface AlertStats {
  fromMs: EpochMs;
  toMs: EpochMs;
  totals: AlertTotals;
  openBySeverity: { severity: Severity; count: number }[];
  /** Days in UTC on which something fired or was resolved, oldest first. */
  days: { day: string; fired: number; resolved: number }[];
  noisiest: { ruleId: string; ruleKey: string; ruleName: string; count: number; autoResolvedSoon: number; noise: number }[];
  channels: {
    channel: string;
    kind: string;
    delivered: number;
    dead: number;
    suppressed: number;
    underWay: number;
    /** For the end of quiet hours, or for a digest; not under way. */
    waiting: number;
    latencyP50Ms: number | null;
    latencyP95Ms: number | null;
  }[];
  missed: number;
}

const NOISIEST = 10;
const MS = 1_000;

/**
 * Counts the alerts that started from `fromMs` to before `toMs`, archived ones included, and the messages made in that time. Null: thirty days back, and
 * now. What was told of archived alerts is counted no more.
 */
export async function readAlertStats(
  sql: SqlTx,
  tenantId: string,
  range: { fromMs: EpochMs | null; toMs: EpochMs | null },
): Promise<AlertStats> {
  const [bounds] = await sql<{ fromMs: EpochMs; toMs: EpochMs }[]>`
    select coalesce(${range.fromMs}::timestamptz, upper_end - interval '30 days') as "fromMs", upper_end as "toMs"
    from (select coalesce(${range.toMs}::timestamptz, tocsin_now()) as upper_end) as asked`;
  if (bounds === undefined) throw new Error('a select of one row answered none');
  const { fromMs, toMs } = bounds;
  const within = sql`tenant_id = ${tenantId} and started_at >= ${fromMs}::timestamptz and started_at < ${toMs}::timestamptz
    and rule_key not like ${`${DRILL_PREFIX}%`}`;
  // by themselves: neither people nor what they did to the rule ended them
  const byItself = sql`resolved_at is not null and resolved_by is null and resolve_reason not like 'rule\\_%'`;
  const waits = sql`(status = 'pending' and held_until is not null and held_until > tocsin_now())`;
  const soon = sql`resolved_at - started_at < interval '2 minutes'`;
  const [totals] = await sql<AlertTotals[]>`
    select count(*)::int as total, count(*) filter (where resolved_at is null)::int as open, count(*) filter (where severity = 'critical')::int as critical,
           count(*) filter (where resolved_at is not null)::int as resolved, count(*) filter (where ${byItself})::int as "autoResolved",
           count(*) filter (where ${byItself} and ${soon})::int as "autoResolvedSoon", count(*) filter (where noise_at is not null)::int as noise,
           (percentile_cont(0.5) within group (order by extract(epoch from opened_at - breached_at)) * ${MS}::int)::float8 as "detectionP50Ms",
           (percentile_cont(0.95) within group (order by extract(epoch from opened_at - breached_at)) * ${MS}::int)::float8 as "detectionP95Ms",
           (avg(extract(epoch from acknowledged_at - started_at)) * ${MS}::int)::float8 as "toAcknowledgeMs",
           (avg(extract(epoch from resolved_at - started_at)) * ${MS}::int)::float8 as "toResolveMs"
    from all_alerts where ${within}`;
  if (totals === undefined) throw new Error('an aggregate answered no row');
  const [openBySeverity, days, noisiest, channels, [missed]] = await Promise.all([
    sql<AlertStats['openBySeverity']>`
      select severity, count(*)::int as count from alerts where ${within} and resolved_at is null group by 1`,
    sql<AlertStats['days']>`
      select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, sum(fired)::int as fired, sum(resolved)::int as resolved
      from (
        select started_at as at, 1 as fired, 0 as resolved from all_alerts where ${within}
        union all
        select resolved_at, 0, 1 from all_alerts
        where tenant_id = ${tenantId} and resolved_at >= ${fromMs}::timestamptz and resolved_at < ${toMs}::timestamptz
          and rule_key not like ${`${DRILL_PREFIX}%`}
      ) as moves
      group by 1 order by 1`,
    sql<AlertStats['noisiest']>`
      select rule_id as "ruleId", max(rule_key) as "ruleKey", max(rule_name) as "ruleName", count(*)::int as count,
             count(*) filter (where ${byItself} and ${soon})::int as "autoResolvedSoon", count(*) filter (where noise_at is not null)::int as noise
      from all_alerts where ${within} group by rule_id order by count(*) desc, rule_id limit ${NOISIEST}`,
    sql<AlertStats['channels']>`
      select channel_key as channel, max(channel_kind) as kind, count(*) filter (where status = 'delivered')::int as delivered,
             count(*) filter (where status = 'dead')::int as dead, count(*) filter (where status = 'suppressed')::int as suppressed,
             count(*) filter (where status in ('pending', 'sending', 'retrying') and not ${waits})::int as "underWay",
             count(*) filter (where ${waits})::int as waiting,
             (percentile_cont(0.5) within group (order by extract(epoch from finished_at - greatest(created_at, held_until))) filter (where status = 'delivered') * ${MS}::int)::float8
               as "latencyP50Ms",
             (percentile_cont(0.95) within group (order by extract(epoch from finished_at - greatest(created_at, held_until))) filter (where status = 'delivered') * ${MS}::int)::float8
               as "latencyP95Ms"
      from deliveries
      where tenant_id = ${tenantId} and created_at >= ${fromMs}::timestamptz and created_at < ${toMs}::timestamptz
      group by channel_key order by channel_key`,
    sql<{ count: number }[]>`
      select count(*)::int as count from missed_alerts
      where tenant_id = ${tenantId} and from_at >= ${fromMs}::timestamptz and from_at < ${toMs}::timestamptz`,
  ]);
  return { fromMs, toMs, totals, openBySeverity, days, noisiest, channels, missed: missed?.count ?? 0 };
}
