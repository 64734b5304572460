import type { EpochMs, LaterReason, ToldWhen } from '@tocsin/domain';
import { and, eq, gt, sql as raw } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { deliveries } from '../tables/deliveries.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';
import { among } from '../among.ts';
import type { ChannelRef } from './dead-notices.ts';
import type { DeliveryRef } from './open-deliveries.ts';

/** A channel with quiet hours or a digest. */
export interface ChannelToldLater extends ChannelRef, ToldWhen {
  /** False: each alert is told by itself. */
  grouping: boolean;
}

/** Those of these channels that have quiet hours or a digest. */
export async function channelsToldLater(sql: SqlTx, channels: readonly ChannelRef[]): Promise<ChannelToldLater[]> {
  return sql<ChannelToldLater[]>`
    select c.tenant_id as "tenantId", c.id as "channelId", c.quiet_hours as "quietHours", c.digest, c.digest_below as "digestBelow", c.grouping
    from unnest(${channels.map((each) => each.tenantId)}::uuid[], ${channels.map((each) => each.channelId)}::uuid[]) as wanted (tenant_id, id)
    join channels c on c.tenant_id = wanted.tenant_id and c.id = wanted.id
    where c.quiet_hours is not null or c.digest is not null`;
}

/** A message that waits while a newer one of its alert is told sooner at its channel. */
export interface Overtaken extends DeliveryRef {
  /** The delivery of the newer one. */
  byId: string;
  /** The newer one does not wait for quiet hours or a digest. */
  isAtOnce: boolean;
}

/** What waits for quiet hours or a digest and is overtaken by one of these deliveries, by the soonest of them. */
export async function overtakenBy(sql: SqlTx, newer: readonly (DeliveryRef & { alertId: string })[]): Promise<Overtaken[]> {
  const alertIds = newer.map((each) => each.alertId);
  return sql<Overtaken[]>`
    select distinct on (d.tenant_id, d.id) d.tenant_id as "tenantId", d.id as "deliveryId", n.id as "byId", n.held_until is null as "isAtOnce"
    from unnest(${newer.map((each) => each.tenantId)}::uuid[], ${newer.map((each) => each.deliveryId)}::uuid[]) as newer (tenant_id, id)
    join deliveries n on n.tenant_id = newer.tenant_id and n.id = newer.id
    join triggers nt on nt.tenant_id = n.tenant_id and nt.id = n.trigger_id
    join deliveries d on d.tenant_id = n.tenant_id and d.alert_id = n.alert_id and d.channel_id = n.channel_id
    join triggers dt on dt.tenant_id = d.tenant_id and dt.id = d.trigger_id
    -- pending, said so that the planner is not lured into the index of all that is open
    where d.finished_at is null and d.attempts = 0 and d.held_until > coalesce(n.held_until, tocsin_now()) and dt.seq < nt.seq
      and ${among(sql, 'd', alertIds, 'alert_id')}
    order by d.tenant_id, d.id, n.held_until nulls first, nt.seq`;
}

/** Lets these wait no longer than those that overtake them, and be told with them. */
export async function waitWith(sql: SqlTx, overtaken: readonly Omit<Overtaken, 'isAtOnce'>[]): Promise<void> {
  const ids = overtaken.map((each) => each.deliveryId);
  await sql`
    update deliveries d
    set fold_key = n.fold_key, held_for = n.held_for, held_until = n.held_until, next_attempt_at = n.held_until
    from unnest(${overtaken.map((each) => each.tenantId)}::uuid[], ${ids}::uuid[], ${overtaken.map((each) => each.byId)}::uuid[]) as overtaken (tenant_id, id, by_id)
    join deliveries n on n.tenant_id = overtaken.tenant_id and n.id = overtaken.by_id
    where d.tenant_id = overtaken.tenant_id and d.id = overtaken.id and ${among(sql, 'd', ids)}`;
}

/** Lets what waits at a channel for that wait no longer than until then. */
export async function endWaiting(tx: DrizzleTx, { tenantId, channelId }: ChannelRef, reason: LaterReason, untilMs: EpochMs): Promise<void> {
  const until = raw`to_timestamp(${untilMs}::float8 / 1000)`;
  await tx
    .update(deliveries)
    .set({ heldUntilMs: until, nextAttemptAtMs: raw`greatest(${tocsinNow}, ${until})` })
    .where(
      and(
        eq(deliveries.tenantId, tenantId),
        eq(deliveries.channelId, channelId),
        eq(deliveries.status, 'pending'),
        eq(deliveries.attempts, 0),
        eq(deliveries.heldFor, reason),
        gt(deliveries.heldUntilMs, until),
      ),
    );
}
