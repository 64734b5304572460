import { type EpochMs, HISTORY_STEP_MS, isLongWindow, type MetricQuery } from '@tocsin/domain';

export const HOUR_MS = 3_600_000;

/**
 * An hour counts as closed so long after its end. No transaction that began before the end, and so did not raise the hour's version, outlives that:
 * a flush is a handful of statements of 30 s at most, with 10 s between them.
 */
const CLOSED_AFTER_MS = 5 * 60_000;

export const hourOf = (atMs: EpochMs): EpochMs => Math.floor(atMs / HOUR_MS) * HOUR_MS;

/** The first hour's start at or after. */
export const nextHour = (atMs: EpochMs): EpochMs => Math.ceil(atMs / HOUR_MS) * HOUR_MS;

/** The end of the newest closed hour. `nowMs` by the database's clock, which decides as well what a late event is. */
export const closedTo = (nowMs: EpochMs): EpochMs => hourOf(nowMs - CLOSED_AFTER_MS);

/** The first hour whose events are all kept still. */
export const oldestHour = (nowMs: EpochMs, retentionMs: number): EpochMs => nextHour(nowMs - retentionMs);

/**
 * The hours in a stretch of time that are read from what is kept of them: whole, closed, and of which all events are kept still. None where it ends
 * before it begins.
 */
export const closedHoursIn = (stretch: { fromMs: EpochMs; toMs: EpochMs }, nowMs: EpochMs, retentionMs: number) => ({
  fromMs: Math.max(nextHour(stretch.fromMs), oldestHour(nowMs, retentionMs)),
  toMs: Math.min(hourOf(stretch.toMs), closedTo(nowMs)),
});

export const hoursIn = (fromMs: EpochMs, toMs: EpochMs): EpochMs[] =>
  Array.from({ length: Math.max(0, (toMs - fromMs) / HOUR_MS) }, (_, place) => fromMs + place * HOUR_MS);

/** Of all hours from `fromMs` to `toMs`, added up: versions only grow, so an equal sum is equal versions. */
export function versionOf(versions: ReadonlyMap<EpochMs, number>, fromMs: EpochMs, toMs: EpochMs): number {
  let sum = 0;
  for (const [hourMs, version] of versions) if (hourMs >= fromMs && hourMs < toMs) sum += version;
  return sum;
}

/** How far before an hour the windows of its history begin, in whole hours. */
export const lookBackOf = (query: MetricQuery): number => -hourOf((isLongWindow(query) ? HOUR_MS : HISTORY_STEP_MS) - query.windowMs);
