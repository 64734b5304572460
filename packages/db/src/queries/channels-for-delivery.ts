import { actionChannelKey } from '@tocsin/domain';
import type { ChannelToSend } from './open-deliveries.ts';
import { among } from '../among.ts';
import type { SqlTx } from '../with-tenants.ts';

export interface ChannelToPlan extends ChannelToSend {
  tenantId: string;
  id: string;
  key: string;
  kind: string;
}

/** The columns of a `ChannelToPlan`, of the channels that go by this name in a statement. */
export function channelToPlan(sql: SqlTx, name: string) {
  const c = sql(name);
  return sql`
    ${c}.tenant_id as "tenantId", ${c}.id, ${c}.key, ${c}.kind, ${c}.enabled, ${c}.version, ${c}.config, ${c}.secrets,
    ${c}.former_secrets_until as "formerSecretsUntilMs"`;
}

/** A key may be asked for more than once. */
export async function channelsByKey(sql: SqlTx, asked: readonly { tenantId: string; key: string }[]): Promise<ChannelToPlan[]> {
  const wanted = [...new Map(asked.map((each) => [`${each.tenantId} ${each.key}`, each])).values()];
  return sql<ChannelToPlan[]>`
    select ${channelToPlan(sql, 'c')}
    from unnest(${wanted.map((each) => each.tenantId)}::uuid[], ${wanted.map((each) => each.key)}::text[]) as wanted (tenant_id, key)
    join channels c on c.tenant_id = wanted.tenant_id and c.key = wanted.key`;
}

/** A channel that earlier deliveries of an alert were meant for. */
export interface HeardChannel {
  alertId: string;
  /** Null: the channel is deleted. */
  id: string | null;
  key: string;
  kind: string;
  enabled: boolean;
  /** A message was attempted there, or still may be. */
  told: boolean;
  /** The last that was to be told there was muted, and nothing has been told since. */
  muted: boolean;
}

export async function channelsOfAlerts(sql: SqlTx, alerts: readonly { tenantId: string; alertId: string }[]): Promise<HeardChannel[]> {
  const alertIds = alerts.map((each) => each.alertId);
  return sql<HeardChannel[]>`
    select distinct on (alert_id, key) alert_id as "alertId", id, key, kind, enabled, told, coalesce(muted, false) as muted
    from (
      select d.alert_id, channels.id, coalesce(channels.key, d.channel_key) as key, min(d.channel_kind) as kind,
             coalesce(bool_or(channels.enabled), false) as enabled,
             bool_or(coalesce(l.attempts, d.attempts) > 0 and coalesce(l.status, d.status) <> 'suppressed'
                     or coalesce(l.status, d.status) in ('pending', 'sending', 'retrying')) as told,
             -- a muted reminder is no news of its own
             (array_agg(d.suppressed_by is not null order by d.created_at desc, d.id desc)
               filter (where d.kind in ('fired', 'escalated', 'no_data', 'unsilenced') or (d.kind in ('reminded', 'unacknowledged') and d.status <> 'suppressed')))[1] as muted
      from unnest(${alerts.map((each) => each.tenantId)}::uuid[], ${alertIds}::uuid[]) as wanted (tenant_id, alert_id)
      join deliveries d on d.tenant_id = wanted.tenant_id and d.alert_id = wanted.alert_id
      left join channels on channels.tenant_id = d.tenant_id and channels.id = d.channel_id
      -- what another delivery tells of went as that one did
      left join deliveries l on l.tenant_id = d.tenant_id and l.id = d.folded_into
      where d.kind <> 'resolved' and ${among(sql, 'd', alertIds, 'alert_id')}
      group by 1, 2, 3
    ) heard
    -- of a deleted channel and a new one under its key, the new one
    order by alert_id, key, id nulls last`;
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

export async function channelById(sql: SqlTx, tenantId: string, channelId: string): Promise<{ key: string; kind: string } | null> {
  const [channel] = await sql<{ key: string; kind: string }[]>`
    select key, kind from channels where tenant_id = ${tenantId} and id = ${channelId} and key not like ${actionChannelKey('%')}`;
  return channel ?? null;
}
