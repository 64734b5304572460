import type { EpochMs } from './clock.ts';
import { type Weekday, WEEKDAYS } from './active-hours.ts';
import { finestStep, readCron } from './cron.ts';
import { clockChanges, wallClock } from './wall-clock.ts';

/** How a window comes again: at the time of day of its `start`, on the clocks of its time zone, or at the instants of a cron. */
export type Recurrence =
  | { kind: 'none' }
  | { kind: 'daily' }
  | { kind: 'weekly'; days: readonly Weekday[] }
  | { kind: 'cron'; cron: string };

/** When work is being done. An occurrence lasts `durationMs` of elapsed time, whatever clocks do meanwhile. */
export interface MaintenanceTimes {
  /** An IANA name. */
  timeZone: string;
  /** What clocks there show at the first beginning, `2026-11-28T22:00`; with a cron, nothing comes before it. */
  start: string;
  durationMs: number;
  recurrence: Recurrence;
}

export interface Occurrence {
  fromMs: EpochMs;
  /** Does not belong to it any more. */
  toMs: EpochMs;
}

const DAY_MS = 86_400_000;
const START = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})$/;

/** `2026-11-28T22:00` as what UTC clocks show; null for what is no such minute. */
export function shownAt(start: string): number | null {
  if (!START.test(start)) return null;
  const ms = Date.parse(`${start}:00.000Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 16) !== start ? null : ms;
}

/** The instant at which clocks show a time: the first where they show it twice, and when they are set forward where they never do. */
export function instantAt(shownMs: number, timeZone: string): EpochMs {
  const offsets = new Set([shownMs - DAY_MS, shownMs + DAY_MS].map((ms) => wallClock(ms, timeZone) - ms));
  const instants = [...offsets].map((offset) => shownMs - offset).filter((ms) => wallClock(ms, timeZone) === shownMs);
  if (instants.length > 0) return Math.min(...instants);
  const change = clockChanges(shownMs - DAY_MS, shownMs + DAY_MS, timeZone).find((ms) => wallClock(ms, timeZone) > shownMs);
  if (change === undefined) throw new Error('a time that clocks leave out without being set forward');
  return change;
}

/** The first occurrence that begins after an instant; null: there is none any more. */
export function occurrenceAfter(times: MaintenanceTimes, afterMs: EpochMs): Occurrence | null {
  const { durationMs, recurrence, timeZone } = times;
  const startMs = startOf(times);
  if (recurrence.kind === 'none') return startMs > afterMs ? { fromMs: startMs, toMs: startMs + durationMs } : null;
  const fromMs = readCron(cronOf(times, recurrence), timeZone).after(Math.max(afterMs, startMs - 1));
  return fromMs === null ? null : { fromMs, toMs: fromMs + durationMs };
}

/** The occurrence an instant lies in; where two do, the one that ends later. Null: none. */
export function occurrenceAt(times: MaintenanceTimes, atMs: EpochMs): Occurrence | null {
  let within: Occurrence | null = null;
  // occurrences that begin later end later, and those that are over by then began so long before
  let next = occurrenceAfter(times, atMs - times.durationMs);
  for (let looked = 0; next !== null && next.fromMs <= atMs && looked < OVERLAPS_MAX; looked += 1) {
    within = next;
    next = occurrenceAfter(times, next.fromMs);
  }
  return within;
}

/** Windows whose occurrences lie upon each other are refused; the clocks may bring two or three together. */
const OVERLAPS_MAX = 10;

/** The occurrences that are not over at an instant, soonest first, at most `count`. */
export function occurrencesFrom(times: MaintenanceTimes, fromMs: EpochMs, count: number): Occurrence[] {
  const found: Occurrence[] = [];
  for (let next = occurrenceAfter(times, fromMs - times.durationMs); next !== null && found.length < count;) {
    found.push(next);
    next = occurrenceAfter(times, next.fromMs);
  }
  return found;
}

/** How far apart occurrences begin where they follow each other closest; null: there are no two. Throws a RangeError for what is no cron. */
export function closestBeginnings(times: MaintenanceTimes): number | null {
  const { recurrence, timeZone } = times;
  if (recurrence.kind === 'none') return null;
  if (recurrence.kind === 'daily') return DAY_MS;
  if (recurrence.kind === 'weekly') return closestDays(recurrence.days) * DAY_MS;
  return finestStep(readCron(recurrence.cron, timeZone), startOf(times) - 1);
}

function closestDays(days: readonly Weekday[]): number {
  const on = [...new Set(days)].map((day) => WEEKDAYS.indexOf(day)).sort((a, b) => a - b);
  return Math.min(...on.map((day, index) => (on[index + 1] ?? (on[0] ?? day) + 7) - day));
}

function startOf({ start, timeZone }: MaintenanceTimes): EpochMs {
  const shownMs = shownAt(start);
  if (shownMs === null) throw new Error(`not a local time: ${start}`);
  return instantAt(shownMs, timeZone);
}

function cronOf({ start }: MaintenanceTimes, recurrence: Exclude<Recurrence, { kind: 'none' }>): string {
  if (recurrence.kind === 'cron') return recurrence.cron;
  const days = recurrence.kind === 'weekly' ? recurrence.days.map((day) => WEEKDAYS.indexOf(day)).join() : '*';
  return `${Number(start.slice(14, 16))} ${Number(start.slice(11, 13))} * * ${days}`;
}
