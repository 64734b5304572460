import { type AuditEventRow, auditEvents } from '../tables/requests.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Rows of this table are never changed: the app's role may only add and read them. */
export async function insertAuditEvent(tx: DrizzleTx, event: Omit<AuditEventRow, 'atMs'>): Promise<void> {
  await tx.insert(auditEvents).values(event);
}
