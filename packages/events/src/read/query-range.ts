import { type EpochMs, type MetricQuery, type RangeSource, seriesKey } from '@tocsin/domain';
import { TooManySeries } from '../errors.ts';
import type { RangeAnswer } from '../event-store.ts';

export interface Range {
  fromMs: EpochMs;
  toMs: EpochMs;
  stepMs: number;
}

/** Of all series together, some 6 MB as JSON: more is no chart, and holds up everybody else's answers while it is written. */
const POINTS_MAX = 100_000;

/**
 * Reads a query for windows that end at `fromMs + stepMs`, … up to `toMs`. A series has a point at every step, empty where it had no sample.
 * At most `maxSeries`, and 100,000 points, are answered, of the series of most samples, and the rest counted. Throws `TooManySeries` where there are too many to look at.
 */
export async function queryRange(
  source: RangeSource,
  tenantId: string,
  query: MetricQuery,
  { fromMs, toMs, stepMs }: Range,
  maxSeries: number,
  signal: AbortSignal,
): Promise<RangeAnswer> {
  const ends = Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, step) => fromMs + (step + 1) * stepMs);
  if (ends.length === 0) return { series: [], dropped: 0, basis: 'events' };
  const windows = ends.map((endMs) => ({ fromMs: endMs - query.windowMs, toMs: endMs }));
  const most = Math.min(maxSeries, Math.floor(POINTS_MAX / ends.length));
  const [result] = await source.readRange({ tenantId, queries: [{ query, windows }], maxSeries: most }, signal);
  if (result!.kind !== 'range') throw new TooManySeries(result!.kind === 'failed' ? result!.message : 'closed hours are being prepared');
  return {
    series: result!.series
      .map((series) => ({ ...series, key: seriesKey(series.labels) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ labels, values, samples }) => ({
        labels,
        points: ends.map((atMs, step) => ({ atMs, value: Number.isNaN(values[step]) ? null : values[step]!, samples: samples[step]! })),
      })),
    dropped: result!.dropped,
    basis: result!.basis ?? 'events',
  };
}
