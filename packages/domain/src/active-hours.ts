import type { EpochMs } from './clock.ts';
import { clockChanges, wallClock } from './wall-clock.ts';

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Hours of some days, on the clocks of a time zone. `from` belongs to them, `to` does not; `to` may be `24:00`. */
export interface ActiveHours {
  days: readonly Weekday[];
  from: string;
  to: string;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A week ahead every window comes again; two days more, because days are not all of one length. */
const LOOK_AHEAD_MS = 9 * DAY_MS;

/** `09:30` in minutes; null for anything that is no time of a day from `00:00` to `24:00`. */
export function minuteOfDay(text: string): number | null {
  const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text);
  const minute = match === null ? null : Number(match[1]) * 60 + Number(match[2]);
  return minute === null || minute > 1_440 ? null : minute;
}

/** Whether an instant lies within the hours. None at all: always. */
export function isActive(atMs: EpochMs, hours: readonly ActiveHours[], timeZone: string): boolean {
  if (hours.length === 0) return true;
  const shownMs = wallClock(atMs, timeZone);
  const day = weekdayOf(shownMs);
  const minute = (shownMs - startOfDay(shownMs)) / MINUTE_MS;
  return hours.some(({ days, from, to }) => days.includes(day) && minute >= minutesOf(from) && minute < minutesOf(to));
}

/**
 * The first instant within the hours, the given one included. Where clocks are set forward past a beginning, it is when they are; where they
 * are set back into the hours, these begin again.
 */
export function activeFrom(atMs: EpochMs, hours: readonly ActiveHours[], timeZone: string): EpochMs {
  if (isActive(atMs, hours, timeZone)) return atMs;
  const changes = clockChanges(atMs - DAY_MS, atMs + LOOK_AHEAD_MS, timeZone);
  const offsets = new Set([atMs, ...changes].map((ms) => wallClock(ms, timeZone) - ms));
  const firstDayMs = startOfDay(wallClock(atMs, timeZone)) - DAY_MS;
  const candidates = [...changes];
  for (let dayMs = firstDayMs; dayMs < firstDayMs + LOOK_AHEAD_MS; dayMs += DAY_MS) {
    for (const { days, from } of hours) {
      if (!days.includes(weekdayOf(dayMs))) continue;
      for (const offset of offsets) candidates.push(dayMs + minutesOf(from) * MINUTE_MS - offset);
    }
  }
  const opening = Math.min(...candidates.filter((ms) => ms > atMs && isActive(ms, hours, timeZone)));
  if (opening === Infinity) throw new Error('active hours that never come');
  return opening;
}

const startOfDay = (shownMs: number): number => Math.floor(shownMs / DAY_MS) * DAY_MS;

// 1970-01-01 was a Thursday.
const weekdayOf = (shownMs: number): Weekday => WEEKDAYS[(Math.floor(shownMs / DAY_MS) + 4) % 7] ?? 'thu';

function minutesOf(text: string): number {
  const minute = minuteOfDay(text);
  if (minute === null) throw new Error(`not a time of day: ${text}`);
  return minute;
}
