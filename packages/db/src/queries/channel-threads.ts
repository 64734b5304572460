import type { SqlTx } from '../with-tenants.ts';

interface ThreadOf {
  tenantId: string;
  channelId: string;
  alertId: string;
}

/** What the channel calls its first message about the alert; null: there was none, or nobody noted it. */
export async function channelThread(sql: SqlTx, { tenantId, channelId, alertId }: ThreadOf): Promise<string | null> {
  const [row] = await sql<{ thread: string }[]>`
    select thread from channel_threads where tenant_id = ${tenantId} and channel_id = ${channelId} and alert_id = ${alertId}`;
  return row?.thread ?? null;
}

/** Notes it, in place of one that is gone. Nothing happens where the channel or the alert is deleted by now. */
export async function putChannelThread(sql: SqlTx, { tenantId, channelId, alertId }: ThreadOf, thread: string): Promise<void> {
  await sql`
    insert into channel_threads (tenant_id, channel_id, alert_id, thread)
    select channels.tenant_id, channels.id, alerts.id, ${thread}
    from channels join alerts on alerts.tenant_id = channels.tenant_id
    where channels.tenant_id = ${tenantId} and channels.id = ${channelId} and alerts.id = ${alertId}
    on conflict (tenant_id, channel_id, alert_id) do update set thread = excluded.thread`;
}
