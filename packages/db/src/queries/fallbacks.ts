import { and, eq, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { channels, notificationSettings, type NotificationSettingsRow } from '../tables/channels.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';
import { channelToPlan, type ChannelToPlan } from './channels-for-delivery.ts';
import type { ChannelRef } from './dead-notices.ts';

/** The fallback of each channel of a tenant, by its key; null: it has none. Nobody else sets one until the transaction ends. */
export async function lockFallbacks(tx: DrizzleTx, tenantId: string): Promise<Map<string, string | null>> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`tocsin.fallbacks ${tenantId}`}, 0))`);
  const rows = await tx.select({ key: channels.key, fallback: channels.fallback }).from(channels).where(eq(channels.tenantId, tenantId));
  return new Map(rows.map(({ key, fallback }) => [key, fallback]));
}

/** Who has this channel for a fallback: keys of channels; `null` stands for the tenant. */
export async function usersOfFallback(tx: DrizzleTx, tenantId: string, key: string): Promise<(string | null)[]> {
  const users = await tx
    .select({ key: channels.key })
    .from(channels)
    .where(and(eq(channels.tenantId, tenantId), eq(channels.fallback, key)));
  const settings = await findNotificationSettings(tx, tenantId);
  return [...users.map((each) => each.key), ...(settings?.fallback === key ? [null] : [])];
}

/** Whoever has it for a fallback has none from then on. */
export async function dropFallback(tx: DrizzleTx, tenantId: string, key: string): Promise<void> {
  await tx
    .update(channels)
    .set({ fallback: null, version: sql`${channels.version} + 1` })
    .where(and(eq(channels.tenantId, tenantId), eq(channels.fallback, key)));
  await tx
    .update(notificationSettings)
    .set({ fallback: null })
    .where(and(eq(notificationSettings.tenantId, tenantId), eq(notificationSettings.fallback, key)));
}

/** Null: nobody has set any. */
export async function findNotificationSettings(tx: DrizzleTx, tenantId: string): Promise<NotificationSettingsRow | null> {
  const [row] = await tx.select().from(notificationSettings).where(eq(notificationSettings.tenantId, tenantId));
  return row ?? null;
}

export async function saveNotificationSettings(tx: DrizzleTx, row: Omit<NotificationSettingsRow, 'updatedAtMs'>): Promise<void> {
  const { fallback, updatedBy } = row;
  await tx
    .insert(notificationSettings)
    .values(row)
    .onConflictDoUpdate({ target: notificationSettings.tenantId, set: { fallback, updatedBy, updatedAtMs: tocsinNow } });
}

/** For each of these channels the one that hears what it cannot be told, its own or the tenant's; none where there is no such one, or it is off. */
export async function fallbacksOf(pg: SqlTx, failing: readonly ChannelRef[]): Promise<(ChannelToPlan & { insteadOf: string })[]> {
  return pg<(ChannelToPlan & { insteadOf: string })[]>`
    select failing.id as "insteadOf", ${channelToPlan(pg, 'other')}
    from unnest(${failing.map((each) => each.tenantId)}::uuid[], ${failing.map((each) => each.channelId)}::uuid[]) as failing (tenant_id, id)
    join channels c on c.tenant_id = failing.tenant_id and c.id = failing.id
    left join notification_settings s on s.tenant_id = c.tenant_id
    join channels other on other.tenant_id = c.tenant_id and other.key = coalesce(c.fallback, s.fallback)
    where other.enabled and other.id <> c.id`;
}
