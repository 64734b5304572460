import type { AlertTypeName, EpochMs, Labels, RuleName, RuleSpec, Severity, TriggerKind } from '@tocsin/domain';
import { among } from '../among.ts';
import type { SqlTx } from '../with-tenants.ts';
import type { Told } from './open-deliveries.ts';

export interface TriggerRef {
  tenantId: string;
  triggerId: string;
}

export interface PendingTrigger {
  tenantId: string;
  id: string;
  alertId: string;
  kind: TriggerKind;
  severity: Severity;
  told: Told;
  tenantExternalKey: string;
  /** Since it was made. */
  ageMs: number;
  nowMs: EpochMs;
  /** Those that hear of it: of the trigger alone, or as the rule stands now; null: it was deleted. */
  notify: RuleSpec['notify'] | null;
  /** The alert's, with the rule's. */
  labels: Labels;
  /** By its name, `latency_high`. */
  alertType: AlertTypeName;
  /** Of the silence of this alert alone; null: it has none. */
  silencedUntilMs: EpochMs | null;
}

interface PendingRow extends Omit<PendingTrigger, 'told'>, Omit<Told, 'rule'> {
  ruleId: string;
  ruleKey: string;
  ruleName: string;
  /** Null: those of the rule. */
  channels: string[] | null;
}

/**
 * Locks what waits to be planned of these triggers' alerts, up to them, oldest first, so that an alert's triggers are planned in the
 * order they were told, whoever is hinted first. Waits for a transaction that plans them just now; what it planned is not answered.
 */
export async function lockPendingTriggers(sql: SqlTx, refs: readonly TriggerRef[]): Promise<PendingTrigger[]> {
  const ids = refs.map((ref) => ref.triggerId);
  const rows = await sql<PendingRow[]>`
    with wanted as materialized (
      select this.tenant_id, this.alert_id, max(this.seq) as seq
      from unnest(${refs.map((ref) => ref.tenantId)}::uuid[], ${ids}::uuid[]) as hinted (tenant_id, id)
      join triggers this on this.tenant_id = hinted.tenant_id and this.id = hinted.id
      where ${among(sql, 'this', ids)}
      group by 1, 2
    )
    select t.tenant_id as "tenantId", t.id, t.alert_id as "alertId", t.kind, t.severity, t.snapshot, t.created_at as "createdMs",
           (extract(epoch from tocsin_now() - t.created_at) * 1000)::float8 as "ageMs", tocsin_now() as "nowMs",
           alerts.rule_id as "ruleId", alerts.rule_key as "ruleKey", alerts.rule_name as "ruleName", rules.spec -> 'notify' as notify, t.channels,
           alerts.labels, alerts.type_name as "alertType", alerts.silenced_until as "silencedUntilMs",
           coalesce(rules.spec -> 'annotations', '{}') as annotations, tenants.external_key as "tenantExternalKey"
    from wanted
    join triggers t on t.tenant_id = wanted.tenant_id and t.alert_id = wanted.alert_id and t.seq <= wanted.seq
    join alerts on alerts.tenant_id = t.tenant_id and alerts.id = t.alert_id
    join tenants on tenants.tenant_id = t.tenant_id
    left join rules on rules.tenant_id = t.tenant_id and rules.id = t.rule_id
    -- as good as its status, which would lure the planner into the index of all that is pending
    where t.finished_at is null and t.alert_id = any(array(select alert_id from wanted))
    order by t.tenant_id, t.alert_id, t.seq
    for no key update of t`;
  return rows.map(({ snapshot, createdMs, ruleId, ruleKey, ruleName, annotations, channels, notify, ...rest }) => {
    const rule: RuleName = { id: ruleId, key: ruleKey, name: ruleName };
    const named = channels?.map((channel) => ({ channel, minSeverity: 'info' as const }));
    return { ...rest, notify: named ?? notify, told: { snapshot, createdMs, rule, annotations } };
  });
}

/** Ends triggers: `planned` when somebody is to hear of it, `suppressed` with the reason when nobody is. */
export async function finishTriggers(sql: SqlTx, finished: readonly (TriggerRef & { suppressed: string | null })[]): Promise<void> {
  await sql`
    update triggers t
    set status = case when finished.suppressed is null then 'planned' else 'suppressed' end, reason = finished.suppressed, finished_at = tocsin_now()
    from unnest(
      ${finished.map((each) => each.tenantId)}::uuid[], ${finished.map((each) => each.triggerId)}::uuid[], ${finished.map((each) => each.suppressed)}::text[]
    ) as finished (tenant_id, id, suppressed)
    where t.tenant_id = finished.tenant_id and t.id = finished.id and ${among(
      sql,
      't',
      finished.map((each) => each.triggerId),
    )}`;
}

/** Ends a trigger as `suppressed(unplannable)` if it is so old, else leaves it as it is. Null: it is planned already. */
export async function leaveTrigger(
  sql: SqlTx,
  { tenantId, triggerId }: TriggerRef,
  lifetimeMs: number,
): Promise<{ alertId: string; kind: TriggerKind; isOver: boolean } | null> {
  const [left] = await sql<{ alertId: string; kind: TriggerKind; isOver: boolean }[]>`
    with this as (
      select tenant_id, id, created_at <= tocsin_now() - make_interval(secs => ${lifetimeMs}::float8 / 1000) as is_over
      from triggers where tenant_id = ${tenantId} and id = ${triggerId} and status = 'pending'
      for no key update
    ), ended as (
      update triggers t set status = 'suppressed', reason = 'unplannable', finished_at = tocsin_now()
      from this where t.tenant_id = this.tenant_id and t.id = this.id and this.is_over
    )
    select t.alert_id as "alertId", t.kind, this.is_over as "isOver"
    from this join triggers t on t.tenant_id = this.tenant_id and t.id = this.id`;
  return left ?? null;
}

/** Until when alerts are silenced alone, as it is now; null: they are not. Nobody changes that before the transaction ends. */
export async function silencedNow(
  sql: SqlTx,
  alerts: readonly { tenantId: string; alertId: string }[],
): Promise<{ alertId: string; untilMs: EpochMs | null }[]> {
  const alertIds = alerts.map((each) => each.alertId);
  return sql<{ alertId: string; untilMs: EpochMs | null }[]>`
    select a.id as "alertId", a.silenced_until as "untilMs"
    from unnest(${alerts.map((each) => each.tenantId)}::uuid[], ${alertIds}::uuid[]) as wanted (tenant_id, id)
    join alerts a on a.tenant_id = wanted.tenant_id and a.id = wanted.id
    where ${among(sql, 'a', alertIds)}
    order by a.tenant_id, a.id
    for share of a`;
}
