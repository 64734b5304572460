import type { EpochMs } from './clock.ts';
import { clockChanges, wallClock } from './wall-clock.ts';

export const PERIODS = ['day', 'week', 'month'] as const;
/** Weeks begin on Monday (ISO 8601). */
export type Period = (typeof PERIODS)[number];

export const isPeriod = (window: string): window is Period => PERIODS.some((period) => period === window);

/** A window that begins with its period, on the clocks of a time zone. */
export interface PeriodWindow {
  period: Period;
  /** IANA name. */
  timeZone: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The longest that a period may be, by the clocks of any zone. */
export const PERIOD_MAX_MS: Readonly<Record<Period, number>> = {
  day: DAY_MS + HOUR_MS,
  week: 7 * DAY_MS + HOUR_MS,
  month: 31 * DAY_MS + HOUR_MS,
};

export interface PeriodBounds {
  fromMs: EpochMs;
  toMs: EpochMs;
}

const lastPeriods = new Map<string, PeriodBounds>();

/** The period that the instant lies in: `fromMs ≤ atMs < toMs`. */
export function periodAt(atMs: EpochMs, { period, timeZone }: PeriodWindow): PeriodBounds {
  const key = `${period} ${timeZone}`;
  const last = lastPeriods.get(key);
  if (last !== undefined && atMs >= last.fromMs && atMs < last.toMs) return last;
  const [fromShownMs, toShownMs] = shownBounds(period, wallClock(atMs, timeZone));
  const bounds = { fromMs: instantShowing(fromShownMs, timeZone), toMs: instantShowing(toShownMs, timeZone) };
  lastPeriods.set(key, bounds);
  return bounds;
}

/** What clocks show at its beginning and at its end. */
function shownBounds(period: Period, shownMs: number): [number, number] {
  const dayMs = Math.floor(shownMs / DAY_MS) * DAY_MS;
  const day = new Date(dayMs);
  switch (period) {
    case 'day':
      return [dayMs, dayMs + DAY_MS];
    case 'week': {
      const mondayMs = dayMs - ((day.getUTCDay() + 6) % 7) * DAY_MS;
      return [mondayMs, mondayMs + 7 * DAY_MS];
    }
    case 'month':
      return [Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1), Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1)];
  }
}

/** The first instant at which clocks show that, or, where they are set forward past it, at which they are. */
function instantShowing(shownMs: number, timeZone: string): EpochMs {
  const changes = clockChanges(shownMs - DAY_MS, shownMs + DAY_MS, timeZone);
  const offsets = new Set([shownMs - DAY_MS, ...changes].map((ms) => wallClock(ms, timeZone) - ms));
  const shown = [...offsets].map((offset) => shownMs - offset).filter((ms) => wallClock(ms, timeZone) === shownMs);
  return Math.min(...(shown.length > 0 ? shown : changes.filter((ms) => wallClock(ms, timeZone) > shownMs)));
}
