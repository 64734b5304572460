import { type AuditEventRow, auditEvents } from '../tables/requests.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';

/** Rows of this table are never changed: the app's role may only add and read them. */
export async function insertAuditEvent(tx: DrizzleTx, event: Omit<AuditEventRow, 'atMs'>): Promise<void> {
  await tx.insert(auditEvents).values(event);
}

/** The same for many at once, in a batch of the pipeline. */
export async function insertAuditEvents(sql: SqlTx, events: readonly Omit<AuditEventRow, 'atMs'>[]): Promise<void> {
  await sql`
    insert into audit_events (tenant_id, id, actor, action, subject, data)
    select tenant_id, id, actor, action, subject, data::jsonb
    from unnest(
      ${events.map((event) => event.tenantId)}::uuid[], ${events.map((event) => event.id)}::uuid[], ${events.map((event) => event.actor)}::text[],
      ${events.map((event) => event.action)}::text[], ${events.map((event) => event.subject)}::text[],
      ${events.map((event) => JSON.stringify(event.data))}::text[]
    ) as new (tenant_id, id, actor, action, subject, data)`;
}
