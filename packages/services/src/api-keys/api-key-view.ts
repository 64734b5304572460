import type { ApiKey } from '@tocsin/contracts';
import type { ApiKeyRow } from '@tocsin/db';
import { timeText, timeTextOrNull } from '../time-text.ts';

export const viewApiKey = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  role: row.role,
  lastFour: row.lastFour,
  createdAt: timeText(row.createdAtMs),
  lastUsedAt: timeTextOrNull(row.lastUsedAtMs),
  revokedAt: timeTextOrNull(row.revokedAtMs),
});
