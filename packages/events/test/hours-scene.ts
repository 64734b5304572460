import type { HoursNeed, MetricQuery, QueryResult, SeriesReading } from '@tocsin/domain';
import { seriesKey } from '@tocsin/domain';
import type { EventStore } from '../src/index.ts';
import { DAY, NEVER } from './open-store.ts';

/** Reads a query as a rule would. */
export async function readOne(store: EventStore, tenantId: string, query: MetricQuery, endMs: number): Promise<QueryResult> {
  const [results] = await store.source.read([{ tenantId, queries: [{ query, endMs }] }], NEVER);
  return results![0]!;
}

/** By series. Throws unless it was read. */
export function seriesOf(result: QueryResult): Map<string, SeriesReading> {
  if (result.kind !== 'series') throw new Error(JSON.stringify(result));
  return new Map(result.series.map((each) => [seriesKey(each.labels), each]));
}

/** The same from every single event. */
export async function readEvents(
  store: EventStore,
  tenantId: string,
  query: MetricQuery,
  endMs: number,
): Promise<Map<string, SeriesReading>> {
  const { series } = await store.queryRange(tenantId, query, { fromMs: endMs - 1, toMs: endMs, stepMs: 1 }, NEVER);
  return new Map(series.map(({ labels, points }) => [seriesKey(labels), { labels, value: points[0]!.value, samples: points[0]!.samples }]));
}

export const partialsOf = (queries: readonly MetricQuery[], lookbackMs = 2 * DAY): HoursNeed[] =>
  queries.map((query) => ({ kind: 'partial', query, lookbackMs }));

/** Until nothing is missing. */
export async function prepareAll(store: EventStore, tenantId: string, needs: readonly HoursNeed[]): Promise<number> {
  let made = 0;
  for (;;) {
    const filled = await store.prepare(tenantId, needs, NEVER);
    made += filled.made;
    if (filled.missing === 0) return made;
  }
}
