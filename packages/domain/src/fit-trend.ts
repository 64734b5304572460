import type { EpochMs } from './clock.ts';
import { DAY_MS, HOUR_MS, hourly, knownMs, type NotReady, type Point } from './history-points.ts';
import { median, robustSpread } from './statistics.ts';

/** A straight line through the past, and what the hours of a day differ from it where there are days enough to know. */
export interface TrendFit {
  kind: 'trend';
  slopePerHour: number;
  /** By hour of the day, UTC; null: too short a past. */
  season: number[] | null;
  /** 0–1: how much of the past's spread the line (and season) explain. */
  confidence: number;
  /** Hours it was made of. */
  hours: number;
}

export const TREND_LEAST_MS = 6 * HOUR_MS;
const SEASON_LEAST_MS = 3 * DAY_MS;

/**
 * The slope is the median of the slopes between all pairs of hours (Theil 1950, Sen 1968), so that a third of them may be outliers; with three days or
 * more only pairs of the same hour of the day count, so that the season does not tilt it (Hirsch, Slack and Smith, “Techniques of Trend Analysis for
 * Monthly Water Quality Data”, 1982).
 */
export function fitTrend(points: readonly Point[], toMs: EpochMs): TrendFit | NotReady {
  const hours = hourly(points);
  const known = knownMs(points, toMs);
  if (known < TREND_LEAST_MS || hours.length < TREND_LEAST_MS / HOUR_MS) {
    return { kind: 'not_ready', knownMs: known, neededMs: TREND_LEAST_MS };
  }
  const isSeasonal = known >= SEASON_LEAST_MS;
  const slopePerHour = medianSlope(hours, isSeasonal);
  const level = median(hours.map(({ atMs, value }) => value - (slopePerHour * (atMs - toMs)) / HOUR_MS));
  const away = hours.map(({ atMs, value }) => ({ atMs, value: value - level - (slopePerHour * (atMs - toMs)) / HOUR_MS }));
  const season = isSeasonal ? seasonOf(away) : null;
  const left = away.map(({ atMs, value }) => value - (season?.[hourOfDay(atMs)] ?? 0));
  const values = hours.map(({ value }) => value);
  const spread = robustSpread(values, median(values));
  const confidence = spread === 0 ? 1 : Math.max(0, 1 - robustSpread(left, 0) / spread);
  return { kind: 'trend', slopePerHour, season, confidence, hours: hours.length };
}

/** How much a value that is seen at `atMs` will have changed by `laterMs`. */
export function trendChange({ slopePerHour, season }: TrendFit, atMs: EpochMs, laterMs: EpochMs): number {
  const seasonal = season === null ? 0 : season[hourOfDay(laterMs)]! - season[hourOfDay(atMs)]!;
  return (slopePerHour * (laterMs - atMs)) / HOUR_MS + seasonal;
}

function medianSlope(hours: readonly Point[], isSeasonal: boolean): number {
  const slopes: number[] = [];
  for (let later = 1; later < hours.length; later++) {
    for (let earlier = 0; earlier < later; earlier++) {
      const apartMs = hours[later]!.atMs - hours[earlier]!.atMs;
      if (isSeasonal && apartMs % DAY_MS !== 0) continue;
      slopes.push(((hours[later]!.value - hours[earlier]!.value) * HOUR_MS) / apartMs);
    }
  }
  return slopes.length === 0 ? 0 : median(slopes);
}

function seasonOf(away: readonly Point[]): number[] {
  const byHour = Map.groupBy(away, ({ atMs }) => hourOfDay(atMs));
  return Array.from({ length: DAY_MS / HOUR_MS }, (_, hour) => median(byHour.get(hour)?.map(({ value }) => value) ?? [0]));
}

/** Of the hour that ends then, or in which the instant lies. */
const hourOfDay = (atMs: EpochMs): number => Math.floor((((atMs - 1) % DAY_MS) + DAY_MS) / HOUR_MS) % 24;
