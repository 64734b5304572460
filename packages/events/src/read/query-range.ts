import { AGGREGATION_FACTS, type EpochMs, type MetricQuery, type MetricSource, seriesKey, type SeriesReading } from '@tocsin/domain';
import { TooManySeries } from '../errors.ts';
import type { RangeSeries } from '../event-store.ts';

export interface Range {
  fromMs: EpochMs;
  toMs: EpochMs;
  stepMs: number;
}

/** Windows of one read: what they hold is in memory together, and nothing else is answered while they are worked out. */
const STEPS_AT_A_TIME = { first: 10, most: 100, readings: 20_000 };
/** Of all series together, some 6 MB as JSON: more is no chart, and holds up everybody else's answers while it is written. */
const POINTS_MAX = 100_000;

/**
 * Reads a query for windows that end at `fromMs + stepMs`, … up to `toMs`. A series has a point at every step, empty where it had no sample.
 * At most `maxSeries`, and 100,000 points, are answered, of the series of most samples, and the rest counted. Throws `TooManySeries` where there are too many to look at.
 */
export async function queryRange(
  source: MetricSource,
  tenantId: string,
  query: MetricQuery,
  { fromMs, toMs, stepMs }: Range,
  maxSeries: number,
  signal: AbortSignal,
): Promise<{ series: RangeSeries[]; dropped: number }> {
  const ends = Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, step) => fromMs + (step + 1) * stepMs);
  const found = new Map<string, Found>();
  let dropped = 0;
  let atATime = STEPS_AT_A_TIME.first;
  for (let first = 0; first < ends.length;) {
    const some = ends.slice(first, first + atATime);
    const [results] = await source.read([{ tenantId, queries: some.map((endMs) => ({ query, endMs })) }], signal);
    for (const [place, result] of results!.entries()) {
      if (result.kind !== 'series') throw new TooManySeries(result.kind === 'failed' ? result.message : 'closed hours are being prepared');
      dropped = Math.max(dropped, result.dropped);
      for (const reading of result.series) note(found, first + place, reading);
    }
    first += some.length;
    atATime = Math.min(STEPS_AT_A_TIME.most, Math.ceil(STEPS_AT_A_TIME.readings / Math.max(1, found.size)));
  }
  const most = Math.min(maxSeries, Math.floor(POINTS_MAX / ends.length));
  const kept = [...found].sort(([a, { samples: ofA }], [b, { samples: ofB }]) => ofB - ofA || (a < b ? -1 : 1)).slice(0, most);
  return {
    series: kept
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { labels, readings }]) => ({
        labels,
        points: ends.map((atMs, step) => ({ atMs, ...emptyReading(query), ...readings.get(step) })),
      })),
    dropped: dropped + found.size - kept.length,
  };
}

interface Found {
  labels: SeriesReading['labels'];
  samples: number;
  /** By step. */
  readings: Map<number, Pick<SeriesReading, 'value' | 'samples'>>;
}

function note(found: Map<string, Found>, step: number, { labels, value, samples }: SeriesReading): void {
  const key = seriesKey(labels);
  let series = found.get(key);
  if (series === undefined) {
    series = { labels, samples: 0, readings: new Map() };
    found.set(key, series);
  }
  series.samples += samples;
  series.readings.set(step, { value, samples });
}

function emptyReading({ aggregation }: MetricQuery): Pick<SeriesReading, 'value' | 'samples'> {
  return { value: AGGREGATION_FACTS[aggregation].emptyValue, samples: 0 };
}
