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
      const plansOf = new Map([...byTenant].map(([tenantId, ofTenant]) => [tenantId, ofTenant.map((request) => plans.get(request)!)]));
      const ranges = [...byTenant].map(([tenantId, ofTenant]) =>
        rangeOf(
          tenantId,
          ofTenant.flatMap(({ queries }) => queries),
        ),
      );
      // A tenant's segments come together.
      let lastId = '';
      let last: Plan[] = [];
      if (ranges.length > 0) {
        await readSegments(reader, 'events', ranges, signal, {
          onSegment: (tenantId, segment) => {
            if (tenantId !== lastId) {
              lastId = tenantId;
              last = plansOf.get(tenantId)!;
            }
            for (const plan of last) plan.add(segment);
          },
          onKept: (tenantId, kept, slots) => {
            for (const plan of plansOf.get(tenantId)!) plan.addKept(kept, slots);
          },
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
