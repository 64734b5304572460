import type { QueryResult, ReadingCost, WindowedQuery } from '@tocsin/domain';
import type { Segment } from '../codec/decode.ts';
import type { PlannedQuery, PlannedRequest, Window } from './compile-plan.ts';
import type { KeptSegments } from './kept-segments.ts';
import { Plan } from './plan.ts';
import { costsOf } from './reading-costs.ts';
import { SeriesRoom } from './series-room.ts';

/** A request of more windows with a group-by is divided … */
const GROUPED_AT_ONCE = 16;
/** … and so is one of more queries. */
const QUERIES_AT_ONCE = 256;
/** Windows of a part, or a few more: the queries of one rule stay together. */
const WINDOWS_OF_PART = 16;
/** Whoever asks more than this works half of the time. */
const RESTING_QUERIES = 500;
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
  /** Whether to leave half of the time to others. */
  readonly rests: boolean;
  /** What the segments took so far, in milliseconds. */
  feedingMs = 0;
  private readonly isDivided: boolean;
  private readonly parts: { plan: Plan; places: readonly number[] }[];
  private readonly waiting: Waiting[] = [];

  constructor({ queries }: PlannedRequest, maxGathered: number) {
    this.room = new SeriesRoom(maxGathered);
    this.rests = queries.length > RESTING_QUERIES;
    const parts = partsOf(queries);
    this.isDivided = parts.length > 1;
    this.parts = parts.map((part) => ({
      plan: new Plan(
        part.map(({ query }) => query),
        this.room,
      ),
      places: part.map(({ place }) => place),
    }));
  }

  add(segment: Segment): void {
    if (this.isDivided) this.waiting.push({ segment, kept: null, slot: 0 });
    else this.parts[0]!.plan.add(segment);
  }

  addKept(kept: KeptSegments, slots: readonly number[]): void {
    if (!this.isDivided) this.parts[0]!.plan.addKept(kept, slots);
    else for (const slot of slots) this.waiting.push({ segment: kept.segments[slot]!, kept, slot });
  }

  /** Feeds what waits, and answers all queries into `results`. Yields the window that was worked on; null: segments were fed. */
  *answering(maxSeries: number, results: QueryResult[]): Generator<Window | null, void> {
    let atOnce = 1;
    for (const { plan } of this.parts) {
      for (let at = 0; at < this.waiting.length;) {
        const startedMs = performance.now();
        feed(plan, this.waiting.slice(at, at + atOnce));
        at += atOnce;
        const tookMs = performance.now() - startedMs;
        this.feedingMs += tookMs;
        if (tookMs > MOST_MS) atOnce = Math.max(1, atOnce >> 1);
        else if (tookMs < LEAST_MS) atOnce = Math.min(SEGMENTS_MAX, atOnce * 2);
        yield null;
      }
    }
    for (const { plan, places } of this.parts) {
      const ofPart = new Array<QueryResult>(plan.size);
      yield* plan.answering(maxSeries, ofPart);
      for (const [index, result] of ofPart.entries()) results[places[index]!] = result;
    }
  }

  /** One a query, once they are answered. */
  costs(): ReadingCost[] {
    return costsOf(this.parts, this.feedingMs);
  }
}

interface Placed {
  query: PlannedQuery;
  place: number;
}

interface Keyed extends Placed {
  /** Equal for queries that a plan answers from one window. */
  key: string;
}

const isGrouped = ({ query }: WindowedQuery): boolean => query.groupBy.length > 0;

function partsOf(queries: readonly PlannedQuery[]): Placed[][] {
  const whole = queries.map((query, place): Placed => ({ query, place }));
  const isLarge = queries.length > QUERIES_AT_ONCE;
  if (!isLarge && whole.filter(({ query }) => isGrouped(query)).length <= GROUPED_AT_ONCE) return [whole];
  const keyed = whole.map((each): Keyed => ({ ...each, key: windowKey(each.query) }));
  const windows = new Set(keyed.filter(({ query }) => isGrouped(query)).map(({ key }) => key));
  return isLarge || windows.size > GROUPED_AT_ONCE ? divided(keyed) : [whole];
}

function windowKey({ query: { name, filters, subject, groupBy, windowMs }, endMs }: WindowedQuery): string {
  return JSON.stringify([name, filters, subject, groupBy, windowMs, endMs]);
}

/** Rules of equal windows come into one part, where they share the work. */
function divided(whole: readonly Keyed[]): Keyed[][] {
  const rules: Keyed[][] = [];
  for (const each of whole) {
    const last = rules.at(-1);
    const of = each.query.choice?.of;
    if (last !== undefined && of !== undefined && last[0]!.query.choice?.of === of) last.push(each);
    else rules.push([each]);
  }
  rules.sort(([a], [b]) => (a!.key === b!.key ? a!.place - b!.place : a!.key < b!.key ? -1 : 1));
  const parts: Keyed[][] = [];
  let windows = new Set<string>();
  for (const rule of rules) {
    if (parts.length === 0 || (windows.size >= WINDOWS_OF_PART && !rule.every(({ key }) => windows.has(key)))) {
      parts.push([]);
      windows = new Set();
    }
    for (const each of rule) {
      parts.at(-1)!.push(each);
      windows.add(each.key);
    }
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
