import type { SqlTx } from '../with-tenants.ts';

export interface NewInboxMessage {
  tenantId: string;
  id: string;
  deliveryId: string;
  alertId: string | null;
  title: string;
  body: Record<string, unknown>;
}

/** Puts a message into the tenant's inbox. A repeated put of a delivery is the message that is there. */
export async function putInboxMessage(sql: SqlTx, message: NewInboxMessage): Promise<void> {
  await sql`
    insert into inbox (tenant_id, id, delivery_id, alert_id, title, body)
    values (${message.tenantId}, ${message.id}, ${message.deliveryId}, ${message.alertId}, ${message.title}, ${JSON.stringify(message.body)}::text::jsonb)
    on conflict (tenant_id, delivery_id) do nothing`;
}
