import type { QueryResult, ReadRequest, WindowedQuery } from '@tocsin/domain';
import type { Segment } from '../codec/decode.ts';
import type { KeptSegments } from './kept-segments.ts';
import { Plan } from './plan.ts';
import { SeriesRoom } from './series-room.ts';

/** A request of more queries, or of more with a group-by, is divided. */
const QUERIES_AT_ONCE = 256;
const GROUPED_AT_ONCE = 16;
/** Queries of a part, or a few more: those of one rule stay together. */
const QUERIES_OF_PART = 16;
/** What feeding a part may take, in milliseconds: it is given more or fewer segments accordingly. */
const MOST_MS = 25;
const LEAST_MS = 5;
const SEGMENTS_MAX = 64;

interface Waiting {
  segment: Segment;
  /** Null: nothing is kept of it. */
  kept: KeptSegments | null;
  slot: number;
}

/**
 * The plans of a request. Few queries are one plan, fed as segments come. Many are several, fed one after the other once all segments are
 * there, so that whoever waits for the process gets a turn in between.
 */
export class RequestPlans {
  readonly room: SeriesRoom;
  readonly isDivided: boolean;
  private readonly plans: Plan[];
  private readonly waiting: Waiting[] = [];

  constructor({ queries }: ReadRequest, maxGathered: number) {
    this.room = new SeriesRoom(maxGathered);
    const grouped = queries.reduce((count, { query }) => count + (query.groupBy.length > 0 ? 1 : 0), 0);
    this.isDivided = queries.length > QUERIES_AT_ONCE || grouped > GROUPED_AT_ONCE;
    this.plans = (this.isDivided ? partsOf(queries) : [queries]).map((part) => new Plan(part, this.room));
  }

  add(segment: Segment): void {
    if (this.isDivided) this.waiting.push({ segment, kept: null, slot: 0 });
    else this.plans[0]!.add(segment);
  }

  addKept(kept: KeptSegments, slots: readonly number[]): void {
    if (!this.isDivided) this.plans[0]!.addKept(kept, slots);
    else for (const slot of slots) this.waiting.push({ segment: kept.segments[slot]!, kept, slot });
  }

  /** Feeds what waits, and answers all queries into `results`. */
  *answering(maxSeries: number, results: QueryResult[]): Generator<undefined, void> {
    let atOnce = 1;
    for (const plan of this.plans) {
      for (let at = 0; at < this.waiting.length;) {
        const startedMs = performance.now();
        feed(plan, this.waiting.slice(at, at + atOnce));
        at += atOnce;
        const tookMs = performance.now() - startedMs;
        if (tookMs > MOST_MS) atOnce = Math.max(1, atOnce >> 1);
        else if (tookMs < LEAST_MS) atOnce = Math.min(SEGMENTS_MAX, atOnce * 2);
        yield;
      }
    }
    let first = 0;
    for (const plan of this.plans) {
      const ofPart = new Array<QueryResult>(plan.size);
      yield* plan.answering(maxSeries, ofPart);
      for (const result of ofPart) results[first++] = result;
    }
  }
}

function partsOf(queries: readonly WindowedQuery[]): WindowedQuery[][] {
  const parts: WindowedQuery[][] = [];
  let part: WindowedQuery[] = [];
  for (const query of queries) {
    const isNextRule = query.choice === undefined || query.choice.of !== part.at(-1)?.choice?.of;
    if (part.length === 0 || (part.length >= QUERIES_OF_PART && isNextRule)) parts.push((part = []));
    part.push(query);
  }
  return parts;
}

/** What was kept when it came, and was dropped or replaced since, is a segment like any other. */
function feed(plan: Plan, waiting: readonly Waiting[]): void {
  const slots = new Map<KeptSegments, number[]>();
  for (const { segment, kept, slot } of waiting) {
    if (kept === null || kept.segments[slot] !== segment) plan.add(segment);
    else if (slots.has(kept)) slots.get(kept)!.push(slot);
    else slots.set(kept, [slot]);
  }
  for (const [kept, of] of slots) plan.addKept(kept, of);
}
