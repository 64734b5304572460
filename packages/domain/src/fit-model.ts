import type { EpochMs } from './clock.ts';
import { fitSeasonal, seasonalAt, type SeasonalFit } from './fit-seasonal.ts';
import { fitTrend, type TrendFit } from './fit-trend.ts';
import { HISTORY_STEP_MS, type SeriesHistory } from './history.ts';
import { DAY_MS, HOUR_MS, knownMs, type Expected, type NotReady, type Point } from './history-points.ts';
import { mean, median, robustSpread } from './statistics.ts';
import type { Season, Statistic } from './threshold-spec.ts';

/** What is made of a series' past. `minSamples`: windows of fewer events are left out, as a live one would be. */
export type HistoryKind =
  | { kind: 'baseline'; season: Season; statistic: Statistic; minSamples: number }
  | { kind: 'robust'; minSamples: number }
  | { kind: 'seasonal'; minSamples: number }
  | { kind: 'trend'; minSamples: number };

/** `emptyValue` is what a window without events is worth; null: nothing. */
export type HistoryModel = HistoryKind & { emptyValue: 0 | null };

/** What is usual in one hour of the season. */
interface Bucket {
  centre: number;
  /** As a standard deviation. */
  spread: number;
  /** Windows it was made of. */
  points: number;
}

/** Plain data, so that it can be kept and shown. */
export type Fit = { kind: 'buckets'; season: Season; buckets: (Bucket | null)[]; toMs: EpochMs } | SeasonalFit | TrendFit | NotReady;

/** Hours of different seasons that a bucket needs. With fewer, one odd day would be what is usual. */
const NEEDED: Readonly<Record<Season, number>> = { hourOfDay: 3, hourOfWeek: 2, none: 24 };
/** How long a lookback has to be for that, at least. */
export const LEAST_LOOKBACK_MS: Readonly<Record<Season, number>> = { hourOfDay: 3 * DAY_MS, hourOfWeek: 14 * DAY_MS, none: DAY_MS };

const BUCKETS: Readonly<Record<Season, number>> = { hourOfDay: 24, hourOfWeek: 168, none: 1 };

/**
 * Works out what is usual from a history that begins at `fromMs`. Windows before the series was first seen are no history: an empty one is worth 0
 * for a count, and would make a new series look like a sudden rise.
 */
export function fitModel(model: HistoryModel, history: SeriesHistory, fromMs: EpochMs): Fit {
  const toMs = fromMs + history.values.length * HISTORY_STEP_MS;
  const points = pointsOf(history, fromMs, model);
  switch (model.kind) {
    case 'baseline':
      return fitBuckets(points, toMs, model.season, model.statistic, 0);
    case 'robust':
      // An hour's own past is short; its neighbours behave much like it.
      return fitBuckets(points, toMs, 'hourOfDay', 'median', 1);
    case 'seasonal':
      return fitSeasonal(points, toMs);
    case 'trend':
      return fitTrend(points, toMs);
  }
}

/** Null: there was never enough in that hour to say. */
export function expectedAt(fit: Fit, atMs: EpochMs): Expected | null {
  if (fit.kind === 'buckets') {
    const bucket = fit.buckets[bucketOf(fit.season, atMs)] ?? null;
    return bucket === null ? null : { ...bucket, testedError: null };
  }
  return fit.kind === 'seasonal' ? seasonalAt(fit, atMs) : null;
}

/** A window without events is worth what an empty one is, a count of 0 for instance, once the series is there. */
function pointsOf({ values, samples }: SeriesHistory, fromMs: EpochMs, { minSamples, emptyValue }: HistoryModel): Point[] {
  const points: Point[] = [];
  let isThere = false;
  for (let step = 0; step < values.length; step++) {
    isThere ||= samples[step]! > 0;
    const value = samples[step] === 0 && emptyValue !== null ? emptyValue : values[step]!;
    if (!isThere || !Number.isFinite(value) || (minSamples > 1 && samples[step]! < minSamples)) continue;
    points.push({ atMs: fromMs + (step + 1) * HISTORY_STEP_MS, value });
  }
  return points;
}

/** Which hour of the season a window belongs to: the one in which its last instant lies. */
function bucketOf(season: Season, endMs: EpochMs): number {
  if (season === 'none') return 0;
  const hour = Math.floor((endMs - 1) / HOUR_MS);
  const size = BUCKETS[season];
  return ((hour % size) + size) % size;
}

function fitBuckets(points: readonly Point[], toMs: EpochMs, season: Season, statistic: Statistic, neighbours: number): Fit {
  const size = BUCKETS[season];
  const values = Array.from({ length: size }, (): number[] => []);
  const hours = Array.from({ length: size }, () => new Set<number>());
  for (const { atMs, value } of points) {
    const bucket = bucketOf(season, atMs);
    hours[bucket]!.add(Math.floor((atMs - 1) / HOUR_MS));
    for (let away = -neighbours; away <= neighbours; away++) values[(bucket + away + size) % size]!.push(value);
  }
  const buckets = values.map((own, bucket): Bucket | null => {
    if (hours[bucket]!.size < NEEDED[season]) return null;
    const centre = statistic === 'median' ? median(own) : mean(own);
    return { centre, spread: robustSpread(own, centre), points: own.length };
  });
  if (buckets.some((bucket) => bucket !== null)) return { kind: 'buckets', season, buckets, toMs };
  return { kind: 'not_ready', knownMs: knownMs(points, toMs), neededMs: LEAST_LOOKBACK_MS[season] };
}
