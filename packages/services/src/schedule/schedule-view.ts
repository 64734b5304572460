import type { Schedule } from '@tocsin/contracts';
import type { ScheduleRow } from '@tocsin/db';
import { type EpochMs, formatDuration } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';
import { DEFAULT_SCHEDULE, type ScheduleSettings } from './read-schedule-body.ts';

const viewSettings = ({ everyMs, debounceMs, timeZone, cron, activeHours, pausedUntilMs }: ScheduleSettings): Schedule['defaults'] => ({
  every: formatDuration(everyMs),
  debounce: formatDuration(debounceMs),
  timeZone,
  cron,
  activeHours: activeHours.map(({ days, from, to }) => ({ days: [...days], from, to })),
  pausedUntil: timeTextOrNull(pausedUntilMs),
});

/** @param lastRunMs when the newest run that was evaluated ended; null: none was */
export function viewSchedule(row: ScheduleRow, lastRunMs: EpochMs | null): Schedule {
  const { nextSlotAtMs, backedOffUntilMs } = row;
  return {
    ...viewSettings(row),
    configured: row.configuredAtMs !== null,
    defaults: viewSettings(DEFAULT_SCHEDULE),
    slotEvery: formatDuration(row.slotEveryMs),
    nextSlotAt: timeTextOrNull(nextSlotAtMs),
    lastSlotAt: timeTextOrNull(row.lastSlotAtMs),
    lastRunAt: timeTextOrNull(lastRunMs),
    nextRunAt: nextSlotAtMs === null ? null : timeText(Math.max(nextSlotAtMs, backedOffUntilMs ?? nextSlotAtMs)),
    failedRuns: row.failedRuns,
    backedOffUntil: timeTextOrNull(backedOffUntilMs),
    updatedAt: timeText(row.updatedAtMs),
  };
}
