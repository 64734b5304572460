import type { ReadingCost } from '@tocsin/domain';
import type { Window } from './compile-plan.ts';

/** Adding up what is kept of a segment takes about as long as reading so many events. */
const EVENTS_A_SEGMENT = 8;

interface Part {
  plan: { readonly size: number; readonly windows: readonly Window[] };
  /** Of its queries in the request. */
  places: readonly number[];
}

/**
 * What each query of a request took, by its place. An answer's time is its window's own; that of the segments, which all windows went through
 * together, is divided by what each window read of them; and what is a window's is split evenly between its queries.
 */
export function costsOf(parts: readonly Part[], feedingMs: number): ReadingCost[] {
  const costs: ReadingCost[] = [];
  const read = parts.reduce((total, { plan }) => plan.windows.reduce((sum, window) => sum + weightOf(window), total), 0);
  for (const { plan, places } of parts) {
    for (const window of plan.windows) {
      const { queries, segments, events, answerMs } = window;
      const ms = answerMs + (read === 0 ? 0 : (feedingMs * weightOf(window)) / read);
      const cost = { ms: ms / queries.length, segments: segments / queries.length, events: events / queries.length };
      for (const { place } of queries) costs[places[place]!] = cost;
    }
  }
  return costs;
}

const weightOf = ({ segments, events }: Window): number => events + EVENTS_A_SEGMENT * segments;
