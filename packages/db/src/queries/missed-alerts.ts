import { type MissedAlertRow, missedAlerts } from '../tables/alerts.ts';
import type { DrizzleTx } from '../with-tenants.ts';

export async function insertMissedAlert(tx: DrizzleTx, missed: Omit<MissedAlertRow, 'createdAtMs'>): Promise<MissedAlertRow> {
  const [row] = await tx.insert(missedAlerts).values(missed).returning();
  if (row === undefined) throw new Error('one row was stored as none');
  return row;
}
