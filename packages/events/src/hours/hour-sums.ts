import { ExactSum } from '../read/exact-sum.ts';
import { type Sketch, sketchBytes, sketchOf } from './sketch.ts';

/** What the samples of one series add up to. */
export interface SeriesSums {
  /** The values of the group-by's dimensions as JSON, in its order. */
  key: string;
  values: readonly string[];
  samples: number;
  /** Null where every sample is worth 1. */
  sum: ExactSum | null;
  /** Of measures alone. */
  sketch: Sketch | null;
}

/** What one selection, subject and group-by found in some time. Without a group-by there is one series, or none where there was no sample. */
export interface HourSums {
  series: readonly SeriesSums[];
  /** Series that were left out, at least: those of the fewest samples. */
  dropped: number;
  /** There were so many that none was gathered. */
  hasTooMany: boolean;
}

export const NO_SUMS: HourSums = { series: [], dropped: 0, hasTooMany: false };

const NO_VALUES = new Float64Array(0);

/** All of them as one, of at most so many series. */
export function mergeSums(parts: readonly HourSums[], maxSeries: number): HourSums {
  if (parts.some(({ hasTooMany }) => hasTooMany)) return { ...NO_SUMS, hasTooMany: true };
  const bySeries = new Map<string, SeriesSums[]>();
  for (const { series } of parts) {
    for (const each of series) {
      const same = bySeries.get(each.key);
      if (same === undefined) bySeries.set(each.key, [each]);
      else same.push(each);
    }
  }
  const dropped = parts.reduce((most, part) => Math.max(most, part.dropped), 0);
  return mostSamples([...bySeries.values()].map(joined), maxSeries, dropped);
}

/** The series of the most samples; of equally many those that come first. */
export function mostSamples(series: SeriesSums[], maxSeries: number, dropped: number): HourSums {
  if (series.length <= maxSeries) return { series, dropped, hasTooMany: false };
  const sorted = series.sort((a, b) => b.samples - a.samples || (a.key < b.key ? -1 : 1));
  return { series: sorted.slice(0, maxSeries), dropped: dropped + series.length - maxSeries, hasTooMany: false };
}

/** What keeping them costs, in bytes. */
export function sumsBytes({ series }: HourSums): number {
  return series.reduce((bytes, { key, sketch }) => bytes + 250 + 4 * key.length + (sketch === null ? 0 : sketchBytes(sketch)), 100);
}

function joined(same: readonly SeriesSums[]): SeriesSums {
  const [first] = same as [SeriesSums];
  if (same.length === 1) return first;
  const sum = first.sum === null ? null : new ExactSum();
  let samples = 0;
  const sketches: Sketch[] = [];
  for (const each of same) {
    samples += each.samples;
    if (each.sum !== null) sum?.merge(each.sum);
    if (each.sketch !== null) sketches.push(each.sketch);
  }
  return { key: first.key, values: first.values, samples, sum, sketch: sketches.length === 0 ? null : sketchOf(sketches, NO_VALUES, 0) };
}
