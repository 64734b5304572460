import type { MaintenanceWindow } from '@tocsin/contracts';
import type { MaintenanceWindowRow } from '@tocsin/db';
import { type EpochMs, formatDuration, occurrenceAt, occurrencesFrom } from '@tocsin/domain';
import { timeText } from '../time-text.ts';

const SHOWN = 5;

export const viewMaintenanceWindow = (row: MaintenanceWindowRow, nowMs: EpochMs): MaintenanceWindow => ({
  id: row.id,
  name: row.name,
  matchers: row.matchers,
  timeZone: row.timeZone,
  start: row.start,
  duration: formatDuration(row.durationMs),
  recurrence: row.recurrence.kind === 'weekly' ? { ...row.recurrence, days: [...row.recurrence.days] } : row.recurrence,
  active: occurrenceAt(row, nowMs) !== null,
  next: occurrencesFrom(row, nowMs, SHOWN).map(({ fromMs, toMs }) => ({ startsAt: timeText(fromMs), endsAt: timeText(toMs) })),
  version: row.version,
  createdAt: timeText(row.createdAtMs),
  createdBy: row.createdBy,
  updatedAt: timeText(row.updatedAtMs),
  updatedBy: row.updatedBy,
});
