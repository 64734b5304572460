import { type DrizzleTx, insertAuditEvent, newId } from '@tocsin/db';
import type { Caller } from './context.ts';

/** Records who changed what, in the transaction of the change. `data` never holds a secret. */
export async function audit(
  tx: DrizzleTx,
  { tenantId, actor }: Caller,
  action: string,
  subject: string,
  data: Record<string, unknown> = {},
): Promise<void> {
  await insertAuditEvent(tx, { tenantId, id: newId(), actor, action, subject, data });
}
