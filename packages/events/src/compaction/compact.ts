import {
  copySegments,
  type Database,
  deleteSegments,
  fineSegments,
  insertSegments,
  isRetryable,
  raiseSegments,
  type SegmentHead,
  segmentHeads,
  type SegmentStream,
  withTenantsCopy,
  withTenantsSql,
} from '@tocsin/db';
import type { Clock, EpochMs } from '@tocsin/domain';
import type { Logger } from '@tocsin/runtime';
import type { EventBounds } from '../bounds.ts';
import type { Segment } from '../codec/decode.ts';
import { Slab } from '../read/slab.ts';
import { mergeSegments, type MergedPlace } from './merge-segments.ts';

export interface CompactDeps {
  db: Database;
  logger: Logger;
  clock: Clock;
  bounds: EventBounds;
}

export interface Compacted {
  merged: number;
  written: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STREAMS: readonly SegmentStream[] = ['events', 'evaluations'];

/**
 * Joins the small segments of each quiet minute into one, and those of each day-old hour. What it read is deleted by its exact ids in the
 * transaction that inserts the result, or nothing happens at all: two compactors at once, or one beside late events, lose nothing.
 */
export async function compact(deps: CompactDeps, tenantIds: readonly string[], signal: AbortSignal): Promise<Compacted> {
  const total = { merged: 0, written: 0 };
  for (const tenantId of tenantIds) {
    for (const stream of STREAMS) {
      for (const { place, heads } of await dueGroups(deps, tenantId, stream)) {
        if (signal.aborted) return total;
        const written = await compactGroup(deps, place, heads);
        if (written === null) continue;
        total.merged += heads.length;
        total.written += written;
      }
    }
  }
  return total;
}

interface Group {
  place: MergedPlace;
  heads: SegmentHead[];
}

async function dueGroups({ db, clock, bounds }: CompactDeps, tenantId: string, stream: SegmentStream): Promise<Group[]> {
  const quietMs = floor(clock.now() - bounds.quietMs, MINUTE);
  const dayOldMs = floor(clock.now() - DAY, HOUR);
  return withTenantsCopy(db, [tenantId], async (client) => {
    const fine = await fineSegments(client, stream, tenantId, { minutesBeforeMs: quietMs, hoursBeforeMs: dayOldMs });
    const hours = Map.groupBy(
      fine.filter(({ startsAtMs }) => startsAtMs < dayOldMs),
      ({ startsAtMs }) => floor(startsAtMs, HOUR),
    );
    const minutes = Map.groupBy(
      fine.filter(({ startsAtMs }) => startsAtMs >= dayOldMs),
      ({ startsAtMs }) => floor(startsAtMs, MINUTE),
    );
    const groups: Group[] = [];
    for (const hourMs of hours.keys()) {
      const whole = await segmentHeads(client, stream, [{ tenantId, fromMs: hourMs, toMs: hourMs + HOUR }]);
      const small = whole.filter(
        ({ level, eventCount, startsAtMs }) => startsAtMs >= hourMs && (level < 2 || eventCount < bounds.eventsPerSegment / 2),
      );
      groups.push(...chunks(small, bounds.eventsPerSegment).map((heads) => ({ place: { tenantId, stream, level: 2 as const }, heads })));
    }
    for (const heads of minutes.values()) {
      groups.push(
        ...chunks(heads, bounds.eventsPerSegment).map((chunk) => ({ place: { tenantId, stream, level: 1 as const }, heads: chunk })),
      );
    }
    return groups;
  });
}

/** Groups of at most `maxEvents`, except where one segment alone has more. */
function chunks(heads: readonly SegmentHead[], maxEvents: number): SegmentHead[][] {
  const result: SegmentHead[][] = [];
  let events = Infinity;
  for (const head of heads) {
    if (events + head.eventCount > maxEvents) {
      result.push([]);
      events = 0;
    }
    result.at(-1)!.push(head);
    events += head.eventCount;
  }
  return result;
}

/** Null: somebody else had taken some of them, and nothing was done. */
async function compactGroup(
  { db, logger, bounds }: CompactDeps,
  place: MergedPlace,
  heads: readonly SegmentHead[],
): Promise<number | null> {
  const { tenantId } = place;
  try {
    if (heads.length === 1 && heads[0]!.eventCount < MIN_WORTH_REWRITING) {
      await withTenantsSql(db, [tenantId], (sql) => raiseSegments(sql, heads, place.level));
      return 0;
    }
    const segments = await readHeads(db, place, heads);
    if (segments.length !== heads.length) return null;
    const merged = mergeSegments(segments, place, bounds.eventsPerSegment);
    const isDone = await withTenantsSql(db, [tenantId], async (sql) => {
      if ((await deleteSegments(sql, heads)) !== heads.length) throw new Taken();
      // All of it is seen at once, so it is enough that one of them says what is gone.
      await insertSegments(
        sql,
        merged.map((segment, place) => ({ ...segment, replaces: place === 0 ? heads.map(({ id }) => id) : [] })),
      );
      return true;
    });
    return isDone ? merged.length : null;
  } catch (error) {
    if (error instanceof Taken) return null;
    if (!isRetryable(error)) throw error;
    logger.info({ err: error, tenantId }, 'compaction put off');
    return null;
  }
}

/** Fewer are not compressed, so writing them again would change nothing. */
const MIN_WORTH_REWRITING = 1_000;

/** Rolls the transaction back. */
class Taken extends Error {}

async function readHeads(db: Database, { tenantId, stream }: MergedPlace, heads: readonly SegmentHead[]): Promise<Segment[]> {
  const slab = new Slab();
  const segments: Segment[] = [];
  const fromMs = Math.min(...heads.map(({ startsAtMs }) => startsAtMs));
  const toMs = Math.max(...heads.map(({ endsAtMs }) => endsAtMs));
  const ids = heads.map(({ id }) => id);
  await withTenantsCopy(db, [tenantId], (client) =>
    copySegments(client, stream, [{ tenantId, fromMs, toMs }], ids, (_tenantId, bytes, _key, from, to) =>
      segments.push(slab.open(bytes, from, to)),
    ),
  );
  return segments;
}

function floor(atMs: EpochMs, unitMs: number): EpochMs {
  return Math.floor(atMs / unitMs) * unitMs;
}
