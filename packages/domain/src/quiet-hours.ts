import { activeFrom, isActive, minuteOfDay, WEEKDAYS, type ActiveHours, type Weekday } from './active-hours.ts';
import type { EpochMs } from './clock.ts';

/** A time of some days at which nobody is to be disturbed. `days` are those on which it begins; `to` at or before `from` is on the next day. */
export interface QuietWindow {
  days: readonly Weekday[];
  from: string;
  to: string;
}

export interface QuietHours {
  timeZone: string;
  windows: readonly QuietWindow[];
}

const DAY_MINUTES = 1_440;

/** When the quiet that lies over an instant ends; null: it is not quiet. Windows that touch are one. Throws where it never ends. */
export function quietUntil({ timeZone, windows }: QuietHours, atMs: EpochMs): EpochMs | null {
  const hours = windows.flatMap(withinDays);
  if (hours.length === 0 || !isActive(atMs, hours, timeZone)) return null;
  return activeFrom(atMs, restOf(hours), timeZone);
}

/** Whether there is an instant in a week that is not quiet. */
export const isQuietForever = ({ windows }: Pick<QuietHours, 'windows'>): boolean => restOf(windows.flatMap(withinDays)).length === 0;

/** A window past midnight is two. */
function withinDays({ days, from, to }: QuietWindow): ActiveHours[] {
  if (minutes(from) < minutes(to)) return [{ days, from, to }];
  const evening = { days, from, to: '24:00' };
  return minutes(to) === 0 ? [evening] : [evening, { days: days.map(dayAfter), from: '00:00', to }];
}

const dayAfter = (day: Weekday): Weekday => WEEKDAYS[(WEEKDAYS.indexOf(day) + 1) % WEEKDAYS.length]!;

/** All the time of a week that lies in none of the hours. */
function restOf(hours: readonly ActiveHours[]): ActiveHours[] {
  return WEEKDAYS.flatMap((day) => {
    const taken = hours
      .filter(({ days }) => days.includes(day))
      .map(({ from, to }) => ({ from: minutes(from), to: minutes(to) }))
      .sort((a, b) => a.from - b.from);
    const rest: ActiveHours[] = [];
    let reached = 0;
    for (const { from, to } of [...taken, { from: DAY_MINUTES, to: DAY_MINUTES }]) {
      if (from > reached) rest.push({ days: [day], from: timeOfDay(reached), to: timeOfDay(from) });
      reached = Math.max(reached, to);
    }
    return rest;
  });
}

const timeOfDay = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

function minutes(text: string): number {
  const minute = minuteOfDay(text);
  if (minute === null) throw new Error(`not a time of day: ${text}`);
  return minute;
}
