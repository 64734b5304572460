import type { EpochMs } from '@tocsin/domain';
import { among } from '../among.ts';
import type { SqlTx } from '../with-tenants.ts';

export interface DeliveryLease {
  tenantId: string;
  deliveryId: string;
  token: string;
  leaseMs: number;
}

export interface NewAttempt extends DeliveryLease {
  /** Frozen by the first attempt; later ones find it there. */
  body: string;
  attemptId: string;
}

/** Takes the leases and writes the attempts, so that whatever dies from here on leaves a trace. Answers each attempt's number, from 1. */
export async function leaseDeliveries(
  sql: SqlTx,
  attempts: readonly NewAttempt[],
): Promise<Map<string, { number: number; startedMs: EpochMs }>> {
  const ids = attempts.map((each) => each.deliveryId);
  const rows = await sql<{ deliveryId: string; number: number; startedMs: EpochMs }[]>`
    with leased as (
      update deliveries d
      set status = 'sending', lease_token = new.token, lease_until = tocsin_now() + make_interval(secs => new.lease / 1000),
          attempts = d.attempts + 1, counted_attempts = d.counted_attempts + 1, body = coalesce(d.body, new.body)
      from unnest(
        ${attempts.map((each) => each.tenantId)}::uuid[], ${ids}::uuid[], ${attempts.map((each) => each.token)}::uuid[],
        ${attempts.map((each) => each.leaseMs)}::float8[], ${attempts.map((each) => each.body)}::text[], ${attempts.map((each) => each.attemptId)}::uuid[]
      ) as new (tenant_id, id, token, lease, body, attempt_id)
      where d.tenant_id = new.tenant_id and d.id = new.id and ${among(sql, 'd', ids)}
      returning d.tenant_id, d.id, d.attempts, new.attempt_id
    )
    insert into delivery_attempts (tenant_id, id, delivery_id, number)
    select tenant_id, attempt_id, id, attempts from leased
    returning delivery_id as "deliveryId", number, started_at as "startedMs"`;
  return new Map(rows.map(({ deliveryId, ...attempt }) => [deliveryId, attempt]));
}

/** Nothing happens to a lease that another holds by now. */
export async function renewDeliveryLeases(sql: SqlTx, leases: readonly DeliveryLease[]): Promise<void> {
  const ids = leases.map((each) => each.deliveryId);
  await sql`
    update deliveries d set lease_until = tocsin_now() + make_interval(secs => held.lease / 1000)
    from unnest(
      ${leases.map((each) => each.tenantId)}::uuid[], ${ids}::uuid[],
      ${leases.map((each) => each.token)}::uuid[], ${leases.map((each) => each.leaseMs)}::float8[]
    ) as held (tenant_id, id, token, lease)
    where d.tenant_id = held.tenant_id and d.id = held.id and d.lease_token = held.token and ${among(sql, 'd', ids)}`;
}

export interface DeliveryOutcome {
  tenantId: string;
  deliveryId: string;
  token: string;
  status: 'retrying' | 'delivered' | 'dead' | 'suppressed';
  reason: string | null;
  /** Null: it is finished. Never beyond the delivery's end of life. */
  nextInMs: number | null;
  /** The receiver asked to come back later: this attempt does not count toward the limit. */
  isCounted: boolean;
  attempt: {
    id: string;
    startedMs: EpochMs;
    outcome: 'delivered' | 'retry' | 'rejected' | 'suppressed';
    statusCode: number | null;
    reason: string | null;
    retryAfterMs: number | null;
    responseExcerpt: string | null;
  };
}

export interface SettledDelivery {
  /** From the trigger, or from when it had waited for quiet hours or a digest, to now; null for a test. */
  sinceTriggerMs: number | null;
  /** Until the next attempt. */
  nextInMs: number;
}

/** Writes how attempts ended whose lease is still ours, and answers those, by the delivery's id. Of the others nothing is written. */
export async function settleDeliveries(sql: SqlTx, outcomes: readonly DeliveryOutcome[]): Promise<Map<string, SettledDelivery>> {
  const attempts = outcomes.map(({ attempt }) => attempt);
  const ids = outcomes.map((each) => each.deliveryId);
  const starts = attempts.map(({ startedMs }) => startedMs);
  const rows = await sql<(SettledDelivery & { id: string })[]>`
    with ended as materialized (
      select *, to_timestamp((started - 1) / 1000) as started_from, to_timestamp((started + 1) / 1000) as started_until from unnest(
        ${outcomes.map((each) => each.tenantId)}::uuid[], ${ids}::uuid[], ${outcomes.map((each) => each.token)}::uuid[],
        ${outcomes.map((each) => each.status)}::text[], ${outcomes.map((each) => each.reason)}::text[], ${outcomes.map((each) => each.nextInMs)}::float8[],
        ${outcomes.map((each) => (each.isCounted ? 0 : 1))}::int[], ${attempts.map((each) => each.id)}::uuid[], ${attempts.map((each) => each.outcome)}::text[],
        ${attempts.map((each) => each.statusCode)}::int[], ${attempts.map((each) => each.reason)}::text[],
        ${attempts.map((each) => each.retryAfterMs)}::int8[], ${attempts.map((each) => each.responseExcerpt)}::text[], ${starts}::float8[]
      ) as ended (tenant_id, id, token, status, reason, next_in, uncounted, attempt_id, outcome, status_code, failure, retry_after_ms, response_excerpt, started)
    ), settled as (
      update deliveries d
      set status = ended.status, reason = ended.reason, lease_token = null, lease_until = null,
          counted_attempts = d.counted_attempts - ended.uncounted,
          next_attempt_at = least(tocsin_now() + make_interval(secs => coalesce(ended.next_in, 0) / 1000), d.expires_at),
          hinted_at = tocsin_now(), hints = 0,
          finished_at = case when ended.next_in is null then tocsin_now() end
      from ended
      where d.tenant_id = ended.tenant_id and d.id = ended.id and d.lease_token = ended.token and ${among(sql, 'd', ids)}
      returning d.tenant_id, d.id, d.trigger_id, d.next_attempt_at, d.held_until, ended.attempt_id
    ), attempted as (
      update delivery_attempts a
      set finished_at = tocsin_now(), outcome = ended.outcome, status_code = ended.status_code, reason = ended.failure,
          retry_after_ms = ended.retry_after_ms, response_excerpt = ended.response_excerpt,
          next_attempt_at = case when ended.next_in is not null then settled.next_attempt_at end
      from settled join ended on ended.attempt_id = settled.attempt_id
      where a.tenant_id = settled.tenant_id and a.id = settled.attempt_id and a.delivery_id = settled.id
        -- the ids are enough; the bounds lead there, and leave the other days' partitions alone
        and a.started_at between ended.started_from and ended.started_until
        and a.started_at between to_timestamp(${Math.min(...starts) - 1}::float8 / 1000) and to_timestamp(${Math.max(...starts) + 1}::float8 / 1000)
    )
    select settled.id, (extract(epoch from tocsin_now() - greatest(triggers.created_at, case when triggers.id is not null then settled.held_until end)) * 1000)::float8
             as "sinceTriggerMs",
           (extract(epoch from settled.next_attempt_at - tocsin_now()) * 1000)::float8 as "nextInMs"
    from settled left join triggers on triggers.tenant_id = settled.tenant_id and triggers.id = settled.trigger_id`;
  return new Map(rows.map(({ id, ...settled }) => [id, settled]));
}
