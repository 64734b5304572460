import { copySegments, type Database, readHourVersions, withTenantsCopy } from '@tocsin/db';
import type { EpochMs, MetricQuery, Subject } from '@tocsin/domain';
import type { EventBounds } from '../bounds.ts';
import { type Needs, needsOf } from '../read/needs.ts';
import { Plan } from '../read/plan.ts';
import { SeriesRoom } from '../read/series-room.ts';
import { Slab } from '../read/slab.ts';
import { closedTo, HOUR_MS } from './hour.ts';
import type { HourSums } from './hour-sums.ts';

/** To be summed up together: the values of an hour are in memory once for each. */
export const QUERIES_AT_ONCE = 16;

export interface HoursDeps {
  db: Database;
  bounds: Pick<EventBounds, 'retentionMs' | 'seriesPerQuery' | 'seriesPerRead' | 'hoursCacheBytes'>;
}

/** What sums of a subject hold; with the classes of its values or, where nobody asks for quantiles or extremes, without. */
export function sumsNeeds({ kind }: Subject, hasSketch = true): Needs {
  return needsOf(kind === 'event' ? [] : kind === 'measure' && hasSketch ? ['sum', 'p50'] : ['sum'], kind === 'share');
}

/**
 * Sums up an hour for queries of equal or unequal events, from one snapshot of its segments and its version. Null: it is not closed.
 */
export async function sumHour(
  { db, bounds }: HoursDeps,
  tenantId: string,
  hourMs: EpochMs,
  queries: readonly MetricQuery[],
  signal: AbortSignal,
): Promise<{ version: number; sums: HourSums[] } | null> {
  const endMs = hourMs + HOUR_MS;
  const range = { tenantId, fromMs: hourMs, toMs: endMs };
  const planned = queries.map((query) => ({ query, fromMs: hourMs, endMs, needs: sumsNeeds(query.subject) }));
  const plan = new Plan(planned, new SeriesRoom(bounds.seriesPerRead));
  const slab = new Slab();
  const version = await withTenantsCopy(
    db,
    [tenantId],
    async (client) => {
      const { nowMs, versions } = await readHourVersions(client, [range]);
      if (endMs > closedTo(nowMs)) return null;
      await copySegments(client, 'events', [range], null, (_, bytes, _key, from, to) => plan.add(slab.open(bytes, from, to)));
      return versions.get(tenantId)!.get(hourMs) ?? 0;
    },
    signal,
  );
  return version === null ? null : { version, sums: plan.sums(bounds.seriesPerQuery) };
}
