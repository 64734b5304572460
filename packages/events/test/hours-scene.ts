import type { HoursNeed, MetricQuery, QueryResult, SeriesReading } from '@tocsin/domain';
import { seriesKey } from '@tocsin/domain';
import type { Database } from '@tocsin/db';
import { DEFAULT_BOUNDS } from '../src/bounds.ts';
import type { EventStore } from '../src/index.ts';
import { eventsSource } from '../src/read/events-source.ts';
import { SegmentCache } from '../src/read/segment-cache.ts';
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
export async function readEvents(db: Database, tenantId: string, query: MetricQuery, endMs: number): Promise<Map<string, SeriesReading>> {
  const events = eventsSource({ db, metrics: null, cache: new SegmentCache(0) }, DEFAULT_BOUNDS);
  const [results] = await events.read([{ tenantId, queries: [{ query, endMs }] }], NEVER);
  return seriesOf(results![0]!);
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
