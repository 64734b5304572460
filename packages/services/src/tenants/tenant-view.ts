import type { Tenant } from '@tocsin/contracts';
import { timeText } from '../time-text.ts';

export const viewTenant = (row: { id: string; name: string; externalKey: string; createdAtMs: number }): Tenant => ({
  id: row.id,
  name: row.name,
  externalKey: row.externalKey,
  createdAt: timeText(row.createdAtMs),
});
