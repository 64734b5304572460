import { isLongWindow, type QueryResult, type ReadingCost, type ReadRequest } from '@tocsin/domain';
import type { PlannedQuery } from '../read/compile-plan.ts';
import type { EventsSource } from '../read/events-source.ts';
import type { LongWindows } from './long-windows.ts';

/** Reads as a source does. Of a long window, up to `missingAtMost` hours are summed up at once where nobody has; more are waited for. */
export type ReadWithHours = (
  requests: readonly ReadRequest[],
  signal: AbortSignal,
  options?: { missingAtMost?: number; costs?: ReadingCost[][] | undefined },
) => Promise<QueryResult[][]>;

const NOTHING_READ: ReadingCost = { ms: 0, segments: 0, events: 0 };

/** Answers windows of more than 6 h from closed hours and the events at both ends, all others from events alone. */
export function readWithHours(source: EventsSource, longWindows: LongWindows): ReadWithHours {
  return async (requests, signal, { missingAtMost, costs } = {}) => {
    if (!requests.some(({ queries }) => queries.some(({ query }) => isLongWindow(query)))) return source.read(requests, signal, costs);
    const split = await longWindows.split(requests, signal, missingAtMost);
    const left = requests.map(({ tenantId }, index) => ({
      tenantId,
      queries: split[index]!.flatMap((each): PlannedQuery[] => ('kind' in each ? [] : [each])),
    }));
    const costsLeft: ReadingCost[][] = [];
    const read = (await source.read(left, signal, costsLeft)).map((results) => results.values());
    const answers = split.map((each, index) => each.map((answer) => ('kind' in answer ? answer : read[index]!.next().value!)));
    for (const [index, each] of split.entries()) {
      const ofLeft = (costsLeft[index] ?? []).values();
      costs?.push(each.map((answer) => ('kind' in answer ? NOTHING_READ : (ofLeft.next().value ?? NOTHING_READ))));
    }
    return answers;
  };
}
