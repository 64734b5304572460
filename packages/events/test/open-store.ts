import type { Database } from '@tocsin/db';
import type { MetricQuery } from '@tocsin/domain';
import { createLogger, createMetrics } from '@tocsin/runtime';
import { type FakeClock, fakeClock } from '@tocsin/testkit';
import { type EventBounds, type EventStore, openEventStore } from '../src/index.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const NEVER = new AbortController().signal;

/** A store as a process of its own would have it: nothing shared but the database. */
export function openStore(
  db: Database,
  { clock = minuteClock(), bounds = {} }: { clock?: FakeClock; bounds?: Partial<EventBounds> } = {},
): EventStore {
  return openEventStore({ db, logger: createLogger('test', 'silent'), metrics: createMetrics('test'), clock, bounds });
}

/** Stands at the start of the running minute, for which the database has a day. */
export function minuteClock(): FakeClock {
  return fakeClock(new Date(Math.floor(Date.now() / MINUTE) * MINUTE).toISOString());
}

export const COUNT: MetricQuery = {
  name: null,
  subject: { kind: 'event' },
  aggregation: 'count',
  filters: [],
  groupBy: [],
  windowMs: 5 * MINUTE,
  ratePerMs: MINUTE,
};

/** How many events the store finds in `[endMs − windowMs, endMs)`, whichever hours are prepared. */
export async function countOf(store: EventStore, tenantId: string, endMs: number, windowMs: number): Promise<number> {
  if (windowMs > 6 * HOUR) {
    const range = { fromMs: endMs - MINUTE, toMs: endMs, stepMs: MINUTE };
    const { series } = await store.queryRange(tenantId, { ...COUNT, windowMs }, range, NEVER);
    return series[0]!.points[0]!.value!;
  }
  const [results] = await store.source.read([{ tenantId, queries: [{ query: { ...COUNT, windowMs }, endMs }] }], NEVER);
  const result = results![0]!;
  if (result.kind !== 'series') throw new Error(result.kind === 'failed' ? result.message : 'warming');
  return result.series[0]!.value!;
}
