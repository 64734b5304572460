import type { Schedule } from '@tocsin/contracts';
import type { ScheduleRow } from '@tocsin/db';
import { formatDuration } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';

export const viewSchedule = (row: ScheduleRow): Schedule => ({
  every: formatDuration(row.everyMs),
  slotEvery: formatDuration(row.slotEveryMs),
  nextSlotAt: timeTextOrNull(row.nextSlotAtMs),
  lastSlotAt: timeTextOrNull(row.lastSlotAtMs),
  failedRuns: row.failedRuns,
  backedOffUntil: timeTextOrNull(row.backedOffUntilMs),
  updatedAt: timeText(row.updatedAtMs),
});
