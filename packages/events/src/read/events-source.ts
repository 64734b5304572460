import type { SegmentRange } from '@tocsin/db';
import type { MetricSource, ReadRequest, WindowedQuery } from '@tocsin/domain';
import { Plan } from './plan.ts';
import { readSegments, type SegmentReader } from './read-segments.ts';

/** Answers metric queries from segments. A tenant may appear in several requests: each has its own plan over the same segments. */
export function eventsSource(reader: SegmentReader, maxSeries: number): MetricSource {
  return {
    read: async (requests, signal) => {
      const asking = requests.filter(({ queries }) => queries.length > 0);
      const plans = new Map<ReadRequest, Plan>(asking.map((request) => [request, new Plan(request.queries)]));
      const byTenant = Map.groupBy(asking, ({ tenantId }) => tenantId);
      const ranges = [...byTenant].map(([tenantId, ofTenant]) =>
        rangeOf(
          tenantId,
          ofTenant.flatMap(({ queries }) => queries),
        ),
      );
      if (ranges.length > 0) {
        await readSegments(reader, 'events', ranges, signal, (tenantId, segment) => {
          for (const request of byTenant.get(tenantId)!) plans.get(request)!.add(segment);
        });
      }
      return requests.map((request) => plans.get(request)?.results(maxSeries) ?? []);
    },
  };
}

function rangeOf(tenantId: string, queries: readonly WindowedQuery[]): SegmentRange {
  return {
    tenantId,
    fromMs: queries.reduce((from, { query, endMs }) => Math.min(from, endMs - query.windowMs), Infinity),
    toMs: queries.reduce((to, { endMs }) => Math.max(to, endMs), -Infinity),
  };
}
