import type { EpochMs } from './clock.ts';

export const PERIODS = ['day', 'week', 'month'] as const;
/** Weeks begin on Monday (ISO 8601). */
export type Period = (typeof PERIODS)[number];

export const isPeriod = (window: string): window is Period => PERIODS.some((period) => period === window);

export interface Calendar {
  period: Period;
  /** IANA name. */
  timeZone: string;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Longest first that a period may be, by the clocks of any zone. */
export const PERIOD_MAX_MS: Readonly<Record<Period, number>> = {
  day: 25 * 3_600_000,
  week: 7 * DAY_MS + 3_600_000,
  month: 31 * DAY_MS + 3_600_000,
};

/** A wall clock's reading. `month` is 1–12, `weekday` 1 (Monday) – 7. */
export interface WallTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** Whether the platform knows the zone. */
export function isTimeZone(name: string): boolean {
  // `+02:00` and the like are no places: they have no summer.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

export function wallTime(atMs: EpochMs, timeZone: string): WallTime {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const [year, month, day] = [part('year'), part('month'), part('day')];
  return { year, month, day, hour: part('hour'), minute: part('minute'), second: part('second'), weekday: weekdayOf(year, month, day) };
}

/**
 * The first instant at which the zone's wall clock shows that time or a later one: a time that a change of the clock leaves out is the
 * instant of the change, and of one that comes twice the first is meant.
 */
export function instantOf(year: number, month: number, day: number, timeZone: string, minuteOfDay: number = 0): EpochMs {
  const wall = utc(year, month, day) + minuteOfDay * MINUTE_MS;
  const candidates = [-DAY_MS, 0, DAY_MS].map((shift) => wall - offsetMs(wall + shift, timeZone)).sort((a, b) => a - b);
  for (const candidate of candidates) if (candidate + offsetMs(candidate, timeZone) === wall) return candidate;
  // Left out: the change lies between the two offsets around it.
  let [low, high] = [candidates[0]!, candidates.at(-1)!];
  while (high - low > 1_000) {
    const middle = Math.floor((low + high) / 2_000) * 1_000;
    if (middle + offsetMs(middle, timeZone) >= wall) high = middle;
    else low = middle;
  }
  return high;
}

/** How far the zone's clocks are ahead of UTC. */
export function offsetMs(atMs: EpochMs, timeZone: string): number {
  const { year, month, day, hour, minute, second } = wallTime(atMs, timeZone);
  const wholeMs = Math.floor(atMs / 1_000) * 1_000;
  return utc(year, month, day) + ((hour * 60 + minute) * 60 + second) * 1_000 - wholeMs;
}

export interface PeriodBounds {
  fromMs: EpochMs;
  toMs: EpochMs;
}

const lastPeriods = new Map<string, PeriodBounds>();

/** The period that the instant lies in: `fromMs ≤ atMs < toMs`. */
export function periodAt(atMs: EpochMs, { period, timeZone }: Calendar): PeriodBounds {
  const key = `${period} ${timeZone}`;
  const last = lastPeriods.get(key);
  if (last !== undefined && atMs >= last.fromMs && atMs < last.toMs) return last;
  const { year, month, day, weekday } = wallTime(atMs, timeZone);
  const bounds = boundsOf(period, year, month, day, weekday, timeZone);
  lastPeriods.set(key, bounds);
  return bounds;
}

function boundsOf(period: Period, year: number, month: number, day: number, weekday: number, timeZone: string): PeriodBounds {
  switch (period) {
    case 'day':
      return { fromMs: instantOf(year, month, day, timeZone), toMs: instantOf(year, month, day + 1, timeZone) };
    case 'week': {
      const monday = day - (weekday - 1);
      return { fromMs: instantOf(year, month, monday, timeZone), toMs: instantOf(year, month, monday + 7, timeZone) };
    }
    case 'month':
      return {
        fromMs: instantOf(year, month, 1, timeZone),
        toMs: instantOf(month === 12 ? year + 1 : year, (month % 12) + 1, 1, timeZone),
      };
  }
}

const weekdayOf = (year: number, month: number, day: number): number => ((new Date(utc(year, month, day)).getUTCDay() + 6) % 7) + 1;

/** Midnight of a date in UTC; days past the month's end run on. */
const utc = (year: number, month: number, day: number): EpochMs => Date.UTC(year, month - 1, day);
