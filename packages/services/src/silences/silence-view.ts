import type { Silence } from '@tocsin/contracts';
import type { SilenceRow } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import { timeText } from '../time-text.ts';

export const viewSilence = (row: SilenceRow, nowMs: EpochMs): Silence => ({
  id: row.id,
  status: row.endsAtMs <= nowMs ? 'expired' : row.startsAtMs > nowMs ? 'pending' : 'active',
  matchers: row.matchers,
  startsAt: timeText(row.startsAtMs),
  endsAt: timeText(row.endsAtMs),
  onResolve: row.onResolve,
  endReason: row.endReason,
  comment: row.comment,
  version: row.version,
  createdAt: timeText(row.createdAtMs),
  createdBy: row.createdBy,
  updatedAt: timeText(row.updatedAtMs),
  updatedBy: row.updatedBy,
});
