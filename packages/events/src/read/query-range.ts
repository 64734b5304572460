import { type EpochMs, type MetricQuery, type MetricSource, seriesKey, type SeriesReading } from '@tocsin/domain';
import type { RangeSeries } from '../event-store.ts';

export interface Range {
  fromMs: EpochMs;
  toMs: EpochMs;
  stepMs: number;
}

/** Reads a query for windows that end at `fromMs + stepMs`, … up to `toMs`. A series has a point at every step, empty where it had no sample. */
export async function queryRange(
  source: MetricSource,
  tenantId: string,
  query: MetricQuery,
  { fromMs, toMs, stepMs }: Range,
  signal: AbortSignal,
): Promise<{ series: RangeSeries[]; dropped: number }> {
  const ends = Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, step) => fromMs + (step + 1) * stepMs);
  const [results] = await source.read([{ tenantId, queries: ends.map((endMs) => ({ query, endMs })) }], signal);
  const series = new Map<string, RangeSeries>();
  let dropped = 0;
  for (const [step, result] of results!.entries()) {
    if (result.kind === 'failed') throw new Error(`${result.code}: ${result.message}`);
    dropped = Math.max(dropped, result.dropped);
    for (const reading of result.series) {
      const key = seriesKey(reading.labels);
      if (!series.has(key)) series.set(key, { labels: reading.labels, points: ends.map((atMs) => ({ atMs, ...emptyReading(query) })) });
      series.get(key)!.points[step] = { atMs: ends[step]!, value: reading.value, samples: reading.samples };
    }
  }
  return { series: [...series].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each), dropped };
}

function emptyReading({ aggregation }: MetricQuery): Pick<SeriesReading, 'value' | 'samples'> {
  return { value: aggregation === 'count' || aggregation === 'sum' || aggregation === 'rate' ? 0 : null, samples: 0 };
}
