import type { AlertSnapshot, EpochMs, RuleName, TriggerKind } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

export interface NewDelivery {
  id: string;
  /** Null: a test message. */
  triggerId: string | null;
  alertId: string | null;
  /** Null: there is no such channel. */
  channelId: string | null;
  channelKey: string;
  channelKind: string;
  kind: TriggerKind | 'test';
  /** Why nothing is sent; null: it is to be sent. */
  suppressed: string | null;
  /** How long after its trigger it may still be sent; a test counts from now. */
  lifetimeMs: number;
}

/** One row per trigger and channel; one that is there already stays. */
export async function insertDeliveries(sql: SqlTx, tenantId: string, deliveries: readonly NewDelivery[]): Promise<void> {
  await sql`
    insert into deliveries (tenant_id, id, trigger_id, alert_id, channel_id, channel_key, channel_kind, kind, status, reason, expires_at, finished_at)
    select ${tenantId}, new.id, new.trigger_id, new.alert_id, new.channel_id, new.channel_key, new.channel_kind, new.kind,
           case when new.suppressed is null then 'pending' else 'suppressed' end, new.suppressed,
           coalesce(triggers.created_at, tocsin_now()) + make_interval(secs => new.lifetime / 1000),
           case when new.suppressed is not null then tocsin_now() end
    from unnest(
      ${deliveries.map((each) => each.id)}::uuid[], ${deliveries.map((each) => each.triggerId)}::uuid[], ${deliveries.map((each) => each.alertId)}::uuid[],
      ${deliveries.map((each) => each.channelId)}::uuid[], ${deliveries.map((each) => each.channelKey)}::text[],
      ${deliveries.map((each) => each.channelKind)}::text[], ${deliveries.map((each) => each.kind)}::text[],
      ${deliveries.map((each) => each.suppressed)}::text[], ${deliveries.map((each) => each.lifetimeMs)}::float8[]
    ) as new (id, trigger_id, alert_id, channel_id, channel_key, channel_kind, kind, suppressed, lifetime)
    left join triggers on triggers.tenant_id = ${tenantId} and triggers.id = new.trigger_id
    on conflict (tenant_id, trigger_id, channel_key) do nothing`;
}

/** An open delivery with all that is needed to decide on it and to send it. */
export interface OpenDelivery {
  id: string;
  triggerId: string | null;
  alertId: string | null;
  channelId: string | null;
  channelKey: string;
  channelKind: string;
  kind: TriggerKind | 'test';
  body: string | null;
  countedAttempts: number;
  attempts: number;
  /** Negative or zero: due. */
  dueInMs: number;
  /** Negative or zero: expired. */
  expiresInMs: number;
  /** Null or not positive: nobody holds it. */
  leasedForMs: number | null;
  nowMs: EpochMs;
  /** The channel as it is now; null: it is deleted. `secrets` are sealed. */
  channel: { enabled: boolean; version: number; config: Record<string, unknown>; secrets: Buffer | null } | null;
  /** What is told; null for a test. */
  told: { snapshot: AlertSnapshot; createdMs: EpochMs; rule: RuleName } | null;
  /** The rule's, as it stands; none once it is deleted. */
  annotations: Readonly<Record<string, string>>;
  tenantExternalKey: string;
  /** `resolved` only: how soon an earlier message of its alert to this channel is tried again; null: none is open. */
  earlierDueInMs: number | null;
  /** `resolved` only: an earlier message of its alert was attempted there. */
  earlierAttempted: boolean;
}

/** Locks an open delivery; null when it is finished or somebody has it in hand just now. */
export async function lockOpenDelivery(sql: SqlTx, tenantId: string, deliveryId: string): Promise<OpenDelivery | null> {
  const [row] = await sql<LockedRow[]>`
    select d.id, d.trigger_id as "triggerId", d.alert_id as "alertId", channels.id as "channelId", d.channel_key as "channelKey",
           d.channel_kind as "channelKind", d.kind, d.body, d.counted_attempts as "countedAttempts", d.attempts,
           (extract(epoch from d.next_attempt_at - tocsin_now()) * 1000)::float8 as "dueInMs",
           (extract(epoch from d.expires_at - tocsin_now()) * 1000)::float8 as "expiresInMs",
           (extract(epoch from d.lease_until - tocsin_now()) * 1000)::float8 as "leasedForMs",
           tocsin_now() as "nowMs", channels.enabled, channels.version, channels.config, channels.secrets,
           triggers.snapshot, triggers.created_at as "createdMs", alerts.rule_id as "ruleId", alerts.rule_key as "ruleKey",
           alerts.rule_name as "ruleName", coalesce(rules.spec -> 'annotations', '{}') as annotations, tenants.external_key as "tenantExternalKey",
           earlier.due_in_ms as "earlierDueInMs", coalesce(earlier.attempted, false) as "earlierAttempted"
    from deliveries d
    join tenants on tenants.tenant_id = d.tenant_id
    left join channels on channels.tenant_id = d.tenant_id and channels.id = d.channel_id
    left join triggers on triggers.tenant_id = d.tenant_id and triggers.id = d.trigger_id
    left join alerts on alerts.tenant_id = d.tenant_id and alerts.id = d.alert_id
    left join rules on rules.tenant_id = d.tenant_id and rules.id = alerts.rule_id
    left join lateral (
      select min(extract(epoch from e.next_attempt_at - tocsin_now()) * 1000) filter (where e.status in ('pending', 'sending', 'retrying')) as due_in_ms,
             bool_or(e.attempts > 0) as attempted
      from deliveries e
      where d.kind = 'resolved' and e.tenant_id = d.tenant_id and e.alert_id = d.alert_id and e.channel_id = d.channel_id and e.kind <> 'resolved'
    ) earlier on true
    where d.tenant_id = ${tenantId} and d.id = ${deliveryId} and d.status in ('pending', 'sending', 'retrying')
    for no key update of d skip locked`;
  return row === undefined ? null : openDeliveryOf(row);
}

interface LockedRow extends Omit<OpenDelivery, 'channel' | 'told'> {
  enabled: boolean | null;
  version: number | null;
  config: Record<string, unknown> | null;
  secrets: Buffer | null;
  snapshot: AlertSnapshot | null;
  createdMs: EpochMs | null;
  ruleId: string | null;
  ruleKey: string | null;
  ruleName: string | null;
}

function openDeliveryOf({
  enabled,
  version,
  config,
  secrets,
  snapshot,
  createdMs,
  ruleId,
  ruleKey,
  ruleName,
  ...rest
}: LockedRow): OpenDelivery {
  const hasChannel = enabled !== null && version !== null && config !== null;
  const isTold = snapshot !== null && createdMs !== null && ruleId !== null && ruleKey !== null && ruleName !== null;
  return {
    ...rest,
    channel: hasChannel ? { enabled, version, config, secrets } : null,
    told: isTold ? { snapshot, createdMs, rule: { id: ruleId, key: ruleKey, name: ruleName } } : null,
  };
}

export interface DeliveryLease {
  tenantId: string;
  deliveryId: string;
  token: string;
  leaseMs: number;
  /** Frozen by the first attempt; later ones find it there. */
  body: string;
  attemptId: string;
}

/** Takes the lease and writes the attempt, so that whatever dies from here on leaves a trace. Answers the attempt's number, from 1. */
export async function leaseDelivery(sql: SqlTx, lease: DeliveryLease): Promise<{ number: number; startedMs: EpochMs }> {
  const [attempt] = await sql<{ number: number; startedMs: EpochMs }[]>`
    with leased as (
      update deliveries
      set status = 'sending', lease_token = ${lease.token}, lease_until = tocsin_now() + make_interval(secs => ${lease.leaseMs}::float8 / 1000),
          attempts = attempts + 1, counted_attempts = counted_attempts + 1, body = coalesce(body, ${lease.body})
      where tenant_id = ${lease.tenantId} and id = ${lease.deliveryId}
      returning tenant_id, id, attempts
    )
    insert into delivery_attempts (tenant_id, id, delivery_id, number)
    select tenant_id, ${lease.attemptId}::uuid, id, attempts from leased
    returning number, started_at as "startedMs"`;
  if (attempt === undefined) throw new Error('a delivery under lock is gone');
  return attempt;
}

/** Nothing happens when another holds it by now. */
export async function renewDeliveryLease(
  sql: SqlTx,
  { tenantId, deliveryId, token, leaseMs }: Pick<DeliveryLease, 'tenantId' | 'deliveryId' | 'token' | 'leaseMs'>,
): Promise<void> {
  await sql`
    update deliveries set lease_until = tocsin_now() + make_interval(secs => ${leaseMs}::float8 / 1000)
    where tenant_id = ${tenantId} and id = ${deliveryId} and lease_token = ${token} and status = 'sending'`;
}

export interface DeliveryOutcome {
  tenantId: string;
  deliveryId: string;
  token: string;
  status: 'retrying' | 'delivered' | 'dead';
  reason: string | null;
  /** Null: it is finished. Never beyond the delivery's end of life. */
  nextInMs: number | null;
  /** The receiver asked to come back later: this attempt does not count toward the limit. */
  isCounted: boolean;
  attempt: {
    id: string;
    startedMs: EpochMs;
    outcome: 'delivered' | 'retry' | 'rejected';
    statusCode: number | null;
    reason: string | null;
    retryAfterMs: number | null;
    responseExcerpt: string | null;
  };
}

/**
 * Writes how an attempt ended, if its lease is still ours. Null: it is not, and nothing was written. Answers the time from the trigger
 * to now (null for a test), and how long until the next attempt.
 */
export async function settleDelivery(
  sql: SqlTx,
  outcome: DeliveryOutcome,
): Promise<{ sinceTriggerMs: number | null; nextInMs: number } | null> {
  const { tenantId, attempt } = outcome;
  const isFinished = outcome.nextInMs === null;
  const [row] = await sql<{ sinceTriggerMs: number | null; nextInMs: number }[]>`
    with settled as (
      update deliveries
      set status = ${outcome.status}, reason = ${outcome.reason}, lease_token = null, lease_until = null,
          counted_attempts = counted_attempts - ${outcome.isCounted ? 0 : 1}::int,
          next_attempt_at = least(tocsin_now() + make_interval(secs => ${outcome.nextInMs ?? 0}::float8 / 1000), expires_at),
          hinted_at = tocsin_now(), hints = 0,
          finished_at = case when ${isFinished} then tocsin_now() end
      where tenant_id = ${tenantId} and id = ${outcome.deliveryId} and lease_token = ${outcome.token} and status = 'sending'
      returning tenant_id, id, trigger_id, next_attempt_at
    ), attempted as (
      update delivery_attempts a
      set finished_at = tocsin_now(), outcome = ${attempt.outcome}, status_code = ${attempt.statusCode}, reason = ${attempt.reason},
          retry_after_ms = ${attempt.retryAfterMs}, response_excerpt = ${attempt.responseExcerpt}
      from settled
      where a.tenant_id = settled.tenant_id and a.id = ${attempt.id}
        -- the id is enough; the bounds leave the other days' partitions alone
        and a.started_at between to_timestamp(${attempt.startedMs - 1}::float8 / 1000) and to_timestamp(${attempt.startedMs + 1}::float8 / 1000)
    )
    select (extract(epoch from tocsin_now() - triggers.created_at) * 1000)::float8 as "sinceTriggerMs",
           (extract(epoch from settled.next_attempt_at - tocsin_now()) * 1000)::float8 as "nextInMs"
    from settled left join triggers on triggers.tenant_id = settled.tenant_id and triggers.id = settled.trigger_id`;
  return row ?? null;
}

/** Ends a delivery under lock without sending. */
export async function endDelivery(
  sql: SqlTx,
  tenantId: string,
  deliveryId: string,
  status: 'dead' | 'suppressed',
  reason: string,
): Promise<void> {
  await sql`
    update deliveries
    set status = ${status}, reason = ${reason}, lease_token = null, lease_until = null, finished_at = tocsin_now()
    where tenant_id = ${tenantId} and id = ${deliveryId}`;
}

/** Puts a delivery under lock off: it is not looked at before then. */
export async function postponeDelivery(sql: SqlTx, tenantId: string, deliveryId: string, byMs: number): Promise<void> {
  await sql`
    update deliveries
    set next_attempt_at = least(tocsin_now() + make_interval(secs => ${byMs}::float8 / 1000), expires_at), hinted_at = tocsin_now()
    where tenant_id = ${tenantId} and id = ${deliveryId}`;
}

/** Makes due at once what waited for this message to be over: the `resolved` of the same alert for the same channel. Answers their ids. */
export async function wakeResolved(
  sql: SqlTx,
  tenantId: string,
  alertId: string,
  channel: { id: string | null; key: string },
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    update deliveries set next_attempt_at = tocsin_now()
    where tenant_id = ${tenantId} and alert_id = ${alertId} and (channel_id = ${channel.id} or channel_key = ${channel.key}) and kind = 'resolved' and status = 'pending'
    returning id`;
  return rows.map((row) => row.id);
}

/** Opens a dead delivery again, with a fresh count and end of life and the same id and body. Answers the status it was found in, null: no such delivery. */
export async function reopenDelivery(
  sql: SqlTx,
  tenantId: string,
  deliveryId: string,
  lifetimeMs: number,
): Promise<{ status: string; hasChannel: boolean } | null> {
  const [found] = await sql<{ status: string; hasChannel: boolean; kind: string }[]>`
    select d.status, channels.id is not null as "hasChannel", d.kind
    from deliveries d left join channels on channels.tenant_id = d.tenant_id and channels.id = d.channel_id
    where d.tenant_id = ${tenantId} and d.id = ${deliveryId}
    for no key update of d`;
  if (found === undefined) return null;
  if (found.status === 'dead' && found.hasChannel) {
    await sql`
      update deliveries
      set status = 'pending', reason = null, counted_attempts = 0, next_attempt_at = tocsin_now(), finished_at = null,
          expires_at = tocsin_now() + make_interval(secs => ${lifetimeMs}::float8 / 1000), hinted_at = tocsin_now(), hints = 0
      where tenant_id = ${tenantId} and id = ${deliveryId}`;
  }
  return found;
}

/** The timeline's entry of what became of a message about an alert. */
export async function noteOnTimeline(
  sql: SqlTx,
  entry: { tenantId: string; id: string; alertId: string; kind: string; reason: string | null; data: Record<string, unknown> },
): Promise<void> {
  await sql`
    insert into alert_events (tenant_id, id, alert_id, kind, reason, actor, data)
    values (${entry.tenantId}, ${entry.id}, ${entry.alertId}, ${entry.kind}, ${entry.reason}, 'dispatcher', ${JSON.stringify(entry.data)}::text::jsonb)`;
}
