import type { SegmentRange } from '@tocsin/db';
import type { QueryResult, ReadingCost } from '@tocsin/domain';
import { setTimeout as rest } from 'node:timers/promises';
import type { EventBounds } from '../bounds.ts';
import { fromOf, type PlannedQuery, type PlannedRequest } from './compile-plan.ts';
import { readSegments, type SegmentReader } from './read-segments.ts';
import { RequestPlans } from './request-plans.ts';

type Bounds = Pick<EventBounds, 'seriesPerQuery' | 'seriesPerRead'>;

const SLICE_MS = 50;

/** A metric source that takes, besides windows, what is left of them to be read. */
export interface EventsSource {
  read: (requests: readonly PlannedRequest[], signal: AbortSignal, costs?: ReadingCost[][]) => Promise<QueryResult[][]>;
}

/** Answers metric queries from segments. A tenant may appear in several requests: each has its own plan over the same segments. */
export function eventsSource(reader: SegmentReader, { seriesPerQuery, seriesPerRead }: Bounds): EventsSource {
  return {
    read: async (requests, signal, costs) => {
      const asking = requests.filter(({ queries }) => queries.length > 0);
      const plans = new Map(asking.map((request) => [request, new RequestPlans(request, seriesPerRead)]));
      const byTenant = Map.groupBy(asking, ({ tenantId }) => tenantId);
      const plansOf = new Map([...byTenant].map(([tenantId, ofTenant]) => [tenantId, ofTenant.map((request) => plans.get(request)!)]));
      const ranges = [...byTenant].flatMap(([tenantId, ofTenant]) =>
        rangesOf(
          tenantId,
          ofTenant.flatMap(({ queries }) => queries),
        ),
      );
      let gathered = [...plans.values()].reduce((taken, { room }) => taken + room.taken, 0);
      const feed = (plan: RequestPlans, segments: (plan: RequestPlans) => void): void => {
        gathered -= plan.room.taken;
        const startedMs = performance.now();
        segments(plan);
        plan.feedingMs += performance.now() - startedMs;
        gathered += plan.room.taken;
        // One tenant may take all the room there is for one; several at a time would take the process.
        if (gathered > 2 * seriesPerRead && byTenant.size > 1) throw new Error('the series of these tenants do not fit together');
      };
      // A tenant's segments come together.
      let lastId = '';
      let last: RequestPlans[] = [];
      if (ranges.length > 0) {
        await readSegments(reader, 'events', ranges, signal, {
          onSegment: (tenantId, segment) => {
            if (tenantId !== lastId) {
              lastId = tenantId;
              last = plansOf.get(tenantId)!;
            }
            for (const plan of last) feed(plan, (each) => each.add(segment));
          },
          onKept: (tenantId, kept, slots) => {
            for (const plan of plansOf.get(tenantId)!) feed(plan, (each) => each.addKept(kept, slots));
          },
        });
      }
      const answers = await answerInSlices(requests, plans, seriesPerQuery, signal);
      costs?.push(...requests.map((request) => plans.get(request)?.costs() ?? []));
      return answers;
    },
  };
}

/** Plans are answered one after the other; the event loop is free in between. */
async function answerInSlices(
  requests: readonly PlannedRequest[],
  plans: ReadonlyMap<PlannedRequest, RequestPlans>,
  maxSeries: number,
  signal: AbortSignal,
): Promise<QueryResult[][]> {
  const answers: QueryResult[][] = [];
  let sliceStartMs = performance.now();
  let startedMs = sliceStartMs;
  for (const request of requests) {
    const results = new Array<QueryResult>(request.queries.length);
    answers.push(results);
    const plan = plans.get(request);
    if (plan === undefined) continue;
    for (const window of plan.answering(maxSeries, results)) {
      const nowMs = performance.now();
      if (window !== null) window.answerMs += nowMs - startedMs;
      startedMs = nowMs;
      if (nowMs - sliceStartMs < SLICE_MS) continue;
      // Who asks very much works half of the time, so that the others have the other half.
      await (plan.rests ? rest(nowMs - sliceStartMs) : new Promise(setImmediate));
      signal.throwIfAborted();
      startedMs = sliceStartMs = performance.now();
    }
  }
  return answers;
}

/** None where all that is to be read is nothing. */
function rangesOf(tenantId: string, queries: readonly PlannedQuery[]): SegmentRange[] {
  const read = queries.filter((query) => fromOf(query) < query.endMs);
  if (read.length === 0) return [];
  return [
    {
      tenantId,
      fromMs: read.reduce((from, query) => Math.min(from, fromOf(query)), Infinity),
      toMs: read.reduce((to, { endMs }) => Math.max(to, endMs), -Infinity),
    },
  ];
}
