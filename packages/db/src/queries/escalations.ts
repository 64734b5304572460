import type { EpochMs, EscalationPolicy, Matcher } from '@tocsin/domain';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { alertTimers } from '../tables/alerts.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';

export interface StoredPolicy extends EscalationPolicy {
  tenantId: string;
  key: string;
  matchers: Matcher[];
}

/**
 * The policies of these tenants, in the order in which they are tried. With `keep`, nobody changes one before the transaction ends: who does so then
 * finds the timers that were set by it.
 */
export async function escalationPoliciesOf(sql: SqlTx, tenantIds: readonly string[], { keep }: { keep: boolean }): Promise<StoredPolicy[]> {
  return sql<StoredPolicy[]>`
    select tenant_id as "tenantId", key, matchers, steps, repeat from escalation_policies
    where tenant_id = any(${tenantIds as string[]}::uuid[])
    order by tenant_id, position, key ${keep ? sql`for share` : sql``}`;
}

export interface NewEscalation {
  tenantId: string;
  id: string;
  alertId: string;
  policy: string;
  /** Its time counts from the alert's opening, or from now where that is not so. */
  fromOpening: boolean;
  /** Of the first step. */
  afterMs: number;
}

/** One an alert: where there is one already, even at its end, it goes on. */
export async function startEscalationTimers(sql: SqlTx, started: readonly NewEscalation[]): Promise<void> {
  const ordered = [...started].sort((a, b) => (a.alertId < b.alertId ? -1 : 1));
  await sql`
    insert into alert_timers (tenant_id, id, alert_id, kind, due_at, policy, step, since)
    select new.tenant_id, new.id, new.alert_id, 'escalation', starts.at + make_interval(secs => new.after / 1000), new.policy, 0, starts.at
    from unnest(
      ${ordered.map((each) => each.tenantId)}::uuid[], ${ordered.map((each) => each.id)}::uuid[], ${ordered.map((each) => each.alertId)}::uuid[],
      ${ordered.map((each) => each.policy)}::text[], ${ordered.map((each) => (each.fromOpening ? 1 : 0))}::int[], ${ordered.map((each) => each.afterMs)}::float8[]
    ) as new (tenant_id, id, alert_id, policy, from_opening, after)
    join alerts on alerts.tenant_id = new.tenant_id and alerts.id = new.alert_id
    cross join lateral (select case when new.from_opening = 1 then alerts.started_at else tocsin_now() end as at) starts
    on conflict (tenant_id, alert_id, kind) do nothing`;
}

/** The alerts are over. */
export async function endEscalationTimers(sql: SqlTx, alerts: readonly { tenantId: string; alertId: string }[]): Promise<void> {
  await sql`
    delete from alert_timers timers
    using unnest(${alerts.map((each) => each.tenantId)}::uuid[], ${alerts.map((each) => each.alertId)}::uuid[]) as over (tenant_id, alert_id)
    where timers.tenant_id = over.tenant_id and timers.alert_id = over.alert_id and timers.kind = 'escalation'`;
}

export interface RunningEscalation {
  /** Of its timer. */
  id: string;
  policy: string;
  /** The one that is told next. */
  step: number;
  sinceMs: EpochMs;
}

/** What timers under lock have come to. */
export async function runningEscalations(sql: SqlTx, tenantId: string, timerIds: readonly string[]): Promise<RunningEscalation[]> {
  return sql<RunningEscalation[]>`
    select id, policy, step, since as "sinceMs" from alert_timers
    where tenant_id = ${tenantId} and id = any(${timerIds as string[]}::uuid[]) and policy is not null`;
}

export interface MovedEscalation {
  id: string;
  step: number;
  /** Null: until somebody wakes it. */
  dueMs: EpochMs | null;
}

/** Sets timers under lock anew. */
export async function moveEscalations(sql: SqlTx, tenantId: string, moved: readonly MovedEscalation[]): Promise<void> {
  await sql`
    update alert_timers timers set step = moved.step, due_at = to_timestamp(moved.due / 1000)
    from unnest(${moved.map((each) => each.id)}::uuid[], ${moved.map((each) => each.step)}::int[], ${moved.map((each) => each.dueMs)}::float8[])
      as moved (id, step, due)
    where timers.tenant_id = ${tenantId} and timers.id = moved.id`;
}

/** Makes due at once what goes by a policy: whether it changes anything is found then. */
export async function wakeEscalationsOf(tx: DrizzleTx, tenantId: string, policy: string): Promise<void> {
  await tx
    .update(alertTimers)
    .set({ dueAtMs: tocsinNow })
    .where(and(eq(alertTimers.tenantId, tenantId), eq(alertTimers.policy, policy)));
}

/** The same for what waits while somebody has these alerts in hand. */
export async function wakeEscalations(tx: DrizzleTx, tenantId: string, alertIds: readonly string[]): Promise<void> {
  await tx
    .update(alertTimers)
    .set({ dueAtMs: tocsinNow })
    .where(
      and(
        eq(alertTimers.tenantId, tenantId),
        inArray(alertTimers.alertId, [...alertIds]),
        eq(alertTimers.kind, 'escalation'),
        isNull(alertTimers.dueAtMs),
      ),
    );
}
