import type { EpochMs } from './clock.ts';
import { median } from './statistics.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** One value of the past that counts. */
export interface Point {
  /** End of its window. */
  atMs: EpochMs;
  value: number;
}

/** Too little is known. `knownMs` is how long the series has been there. */
export interface NotReady {
  kind: 'not_ready';
  knownMs: number;
  neededMs: number;
}

/** What is usual at an instant. */
export interface Expected {
  centre: number;
  /** As a standard deviation. */
  spread: number;
  /** Windows of the past it was made of. */
  points: number;
  /** Of a seasonal model: how far it was off on average when it was tried on hours it had not seen. */
  testedError: number | null;
}

/** Since the beginning of the hour in which the first window ends: a lookback of six hours is six hours, though its first window ends within them. */
export const knownMs = ([first]: readonly Point[], toMs: EpochMs): number =>
  first === undefined ? 0 : toMs - (Math.ceil(first.atMs / HOUR_MS) - 1) * HOUR_MS;

/** One value an hour: the median of its windows. */
export function hourly(points: readonly Point[]): Point[] {
  const hours = Map.groupBy(points, ({ atMs }) => Math.ceil(atMs / HOUR_MS) * HOUR_MS);
  return [...hours].map(([atMs, own]) => ({ atMs, value: median(own.map(({ value }) => value)) }));
}
