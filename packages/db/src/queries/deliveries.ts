import type { EpochMs, LaterReason, MessageKind } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

export interface NewDelivery {
  tenantId: string;
  id: string;
  /** Null: a test message. */
  triggerId: string | null;
  alertId: string | null;
  /** Null: there is no such channel. */
  channelId: string | null;
  channelKey: string;
  channelKind: string;
  kind: MessageKind;
  /** Why nothing is sent; null: it is to be sent. */
  suppressed: string | null;
  /** The id of what muted it; absent or null: nothing did. */
  suppressedBy?: string | null;
  /** How long after its trigger it may still be sent; a test counts from now. */
  lifetimeMs: number;
  /** Frozen. Null: the first attempt will write it. */
  body: string | null;
  /** The first attempt is made at once, with a body: it is leased and its attempt written with it. Null: somebody takes it later. */
  first: { token: string; leaseMs: number; attemptId: string } | null;
  /** It waits so long, and what has the same key at its channel is told with it. Absent: it may go at once. */
  hold?: { foldKey: string; byMs: number };
  /** With `hold`: it waits for that, until exactly then. Absent: it waits for neither quiet hours nor a digest. */
  later?: { reason: LaterReason; untilMs: EpochMs };
  /** The delivery whose channel was not reached; through one channel it is told once. Absent: it stands for itself. */
  insteadOf?: string;
  /** The delivery that tells it; `suppressed` is `folded` then. Absent: none does. */
  foldedInto?: string;
}

/**
 * One row per trigger and channel, or per delivery that it stands for; one that is there already stays. Answers when the first attempt of
 * each that is made at once began, by the delivery's id.
 */
export async function insertDeliveries(sql: SqlTx, deliveries: readonly NewDelivery[]): Promise<Map<string, EpochMs>> {
  const begun = await sql<{ id: string; startedMs: EpochMs }[]>`
    with new as (
      select * from unnest(
        ${deliveries.map((each) => each.tenantId)}::uuid[], ${deliveries.map((each) => each.id)}::uuid[],
        ${deliveries.map((each) => each.triggerId)}::uuid[], ${deliveries.map((each) => each.alertId)}::uuid[],
        ${deliveries.map((each) => each.channelId)}::uuid[], ${deliveries.map((each) => each.channelKey)}::text[],
        ${deliveries.map((each) => each.channelKind)}::text[], ${deliveries.map((each) => each.kind)}::text[],
        ${deliveries.map((each) => each.suppressed)}::text[], ${deliveries.map((each) => each.lifetimeMs)}::float8[],
        ${deliveries.map(({ first }) => first?.token ?? null)}::uuid[], ${deliveries.map(({ first }) => first?.leaseMs ?? null)}::float8[],
        ${deliveries.map((each) => each.body)}::text[], ${deliveries.map(({ first }) => first?.attemptId ?? null)}::uuid[],
        ${deliveries.map((each) => each.suppressedBy ?? null)}::uuid[], ${deliveries.map(({ insteadOf }) => insteadOf ?? null)}::uuid[],
        ${deliveries.map(({ hold }) => hold?.foldKey ?? null)}::text[], ${deliveries.map(({ hold }) => hold?.byMs ?? 0)}::float8[],
        ${deliveries.map(({ foldedInto }) => foldedInto ?? null)}::uuid[], ${deliveries.map(({ later }) => later?.reason ?? null)}::text[],
        ${deliveries.map(({ later }) => later?.untilMs ?? null)}::float8[]
      ) as new (tenant_id, id, trigger_id, alert_id, channel_id, channel_key, channel_kind, kind, suppressed, lifetime, token, lease, body, attempt_id,
                suppressed_by, instead_of, fold_key, hold, folded_into, held_for, held_until)
    ), inserted as (
      insert into deliveries (tenant_id, id, trigger_id, alert_id, channel_id, channel_key, channel_kind, kind, status, reason, suppressed_by, expires_at,
                              finished_at, lease_token, lease_until, body, attempts, counted_attempts, instead_of, fold_key, next_attempt_at,
                              folded_into, held_for, held_until)
      select new.tenant_id, new.id, new.trigger_id, new.alert_id, new.channel_id, new.channel_key, new.channel_kind, new.kind,
             case when new.suppressed is not null then 'suppressed' when new.token is not null then 'sending' else 'pending' end, new.suppressed,
             new.suppressed_by, coalesce(triggers.created_at, tocsin_now()) + make_interval(secs => new.lifetime / 1000),
             case when new.suppressed is not null then tocsin_now() end,
             new.token, tocsin_now() + make_interval(secs => new.lease / 1000), new.body,
             case when new.token is null then 0 else 1 end, case when new.token is null then 0 else 1 end, new.instead_of,
             new.fold_key, coalesce(to_timestamp(new.held_until / 1000), tocsin_now() + make_interval(secs => new.hold / 1000)), new.folded_into,
             new.held_for, to_timestamp(new.held_until / 1000)
      from new left join triggers on triggers.tenant_id = new.tenant_id and triggers.id = new.trigger_id
      on conflict do nothing
      returning tenant_id, id
    )
    insert into delivery_attempts (tenant_id, id, delivery_id, number)
    select inserted.tenant_id, new.attempt_id, inserted.id, 1
    from inserted join new on new.tenant_id = inserted.tenant_id and new.id = inserted.id
    where new.attempt_id is not null
    returning delivery_id as id, started_at as "startedMs"`;
  return new Map(begun.map(({ id, startedMs }) => [id, startedMs]));
}

export interface TimelineEntry {
  tenantId: string;
  id: string;
  alertId: string;
  kind: string;
  reason: string | null;
  data: Record<string, unknown>;
}

/** The timeline's entries of what became of messages about alerts. */
export async function noteOnTimeline(sql: SqlTx, entries: readonly TimelineEntry[]): Promise<void> {
  await sql`
    insert into alert_events (tenant_id, id, alert_id, kind, reason, actor, data)
    select tenant_id, id, alert_id, kind, reason, 'dispatcher', data::jsonb
    from unnest(
      ${entries.map((each) => each.tenantId)}::uuid[], ${entries.map((each) => each.id)}::uuid[], ${entries.map((each) => each.alertId)}::uuid[],
      ${entries.map((each) => each.kind)}::text[], ${entries.map((each) => each.reason)}::text[], ${entries.map((each) => JSON.stringify(each.data))}::text[]
    ) as new (tenant_id, id, alert_id, kind, reason, data)`;
}
