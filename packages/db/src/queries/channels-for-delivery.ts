import type { SqlTx } from '../with-tenants.ts';

export interface ChannelToPlan {
  id: string;
  key: string;
  kind: string;
  enabled: boolean;
}

export async function channelsByKey(sql: SqlTx, tenantId: string, keys: readonly string[]): Promise<ChannelToPlan[]> {
  return sql<ChannelToPlan[]>`
    select id, key, kind, enabled from channels where tenant_id = ${tenantId} and key = any(${keys as string[]}::text[])`;
}

/** A channel that earlier deliveries of an alert were meant for. */
export interface HeardChannel {
  /** Null: the channel is deleted. */
  id: string | null;
  key: string;
  kind: string;
  enabled: boolean;
  /** A message was attempted there, or still may be. */
  told: boolean;
}

export async function channelsOfAlert(sql: SqlTx, tenantId: string, alertId: string): Promise<HeardChannel[]> {
  return sql<HeardChannel[]>`
    select distinct on (key) id, key, kind, enabled, told
    from (
      select channels.id, coalesce(channels.key, d.channel_key) as key, min(d.channel_kind) as kind, coalesce(bool_or(channels.enabled), false) as enabled,
             bool_or(d.attempts > 0 or d.status in ('pending', 'sending', 'retrying')) as told
      from deliveries d
      left join channels on channels.tenant_id = d.tenant_id and channels.id = d.channel_id
      where d.tenant_id = ${tenantId} and d.alert_id = ${alertId} and d.kind <> 'resolved'
      group by 1, 2
    ) heard
    -- of a deleted channel and a new one under its key, the new one
    order by key, id nulls last`;
}

/** Notes a send on its channel. A busy channel's row is written once a second at most, unless what there is to say changed. */
export async function noteChannelUse(sql: SqlTx, tenantId: string, channelId: string, lastError: string | null): Promise<void> {
  await sql`
    update channels set last_used_at = tocsin_now(), last_error = ${lastError}
    where tenant_id = ${tenantId} and id = ${channelId}
      and (last_used_at is null or last_used_at < tocsin_now() - interval '1 second' or last_error is distinct from ${lastError})`;
}

/**
 * Switches a channel off for a reason of its own and writes that into the audit log. False: it was off, or somebody has changed it since
 * `version`, so that what was learnt of it may hold no longer.
 */
export async function disableChannel(
  sql: SqlTx,
  disabled: { tenantId: string; channelId: string; version: number; reason: string; auditId: string },
): Promise<boolean> {
  const { tenantId, channelId, version, reason, auditId } = disabled;
  const rows = await sql`
    with disabled as (
      update channels set enabled = false, disabled_reason = ${reason}, version = version + 1, updated_at = tocsin_now(), updated_by = 'dispatcher'
      where tenant_id = ${tenantId} and id = ${channelId} and version = ${version} and enabled
      returning tenant_id, id, key
    )
    insert into audit_events (tenant_id, id, actor, action, subject, data)
    select tenant_id, ${auditId}::uuid, 'dispatcher', 'channel.disabled', id::text, jsonb_build_object('key', key, 'reason', ${reason}::text)
    from disabled
    returning id`;
  return rows.length > 0;
}

export async function channelById(sql: SqlTx, tenantId: string, channelId: string): Promise<ChannelToPlan | null> {
  const [channel] = await sql<
    ChannelToPlan[]
  >`select id, key, kind, enabled from channels where tenant_id = ${tenantId} and id = ${channelId}`;
  return channel ?? null;
}
