import { type Database, listEventNames, type SegmentRange, withTenantsSql } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import { DEFAULT_BOUNDS, type EventBounds } from './bounds.ts';
import type { Segment } from './codec/decode.ts';
import { compact } from './compaction/compact.ts';
import { readEvaluations } from './evaluations/read-evaluations.ts';
import type { EventStore, EventStoreDeps } from './event-store.ts';
import { Histories } from './hours/histories.ts';
import { HourFiller } from './hours/hour-filler.ts';
import { keptHours } from './hours/kept-hours.ts';
import { LongWindows } from './hours/long-windows.ts';
import { readWithHours } from './hours/read-with-hours.ts';
import { EventLags } from './ingest/event-lags.ts';
import { IngestBuffer } from './ingest/ingest-buffer.ts';
import { SeenNames } from './ingest/seen-names.ts';
import { eventsSource } from './read/events-source.ts';
import { queryRange } from './read/query-range.ts';
import { RANGE_BOUNDS } from './read/range/range-room.ts';
import { rangeSource } from './read/range/range-source.ts';
import { readEachSegment, type SegmentReader } from './read/read-segments.ts';
import { recentEvents } from './read/recent.ts';
import { SegmentCache } from './read/segment-cache.ts';
import { Turns } from './read/turns.ts';

const NEVER = new AbortController().signal;
/** What is over its retention is dropped by the day. */
const DROPPED_WITHIN_MS = 2 * 24 * 3_600_000;
/** House-keeping walks through hours, each of which it needs once. */
const HOUSE_KEEPING_BYTES = 32 * 1024 * 1024;

/** One a process: the ingest buffer and the caches of opened segments and of hours live here. */
export function openEventStore({ db, logger, metrics, clock, bounds: overrides, onLanded }: EventStoreDeps): EventStore {
  const bounds = { ...DEFAULT_BOUNDS, ...overrides };
  const flushing = { db, bounds, seenNames: new SeenNames(bounds), eventLags: new EventLags(), onLanded: onLanded ?? null };
  const buffer = new IngestBuffer({ ...flushing, logger, metrics, clock });
  const reader = { db, metrics, cache: new SegmentCache(bounds.cacheBytes) };
  const events = eventsSource(reader, bounds);
  const read = readWithHours(events, new LongWindows({ db, bounds }));
  const histories = new Histories({ db, bounds, read });
  const filler = openFiller(db, bounds);
  const turns = new Turns(bounds.readsForPeople);
  /** The part of a range in which there can be anything. */
  const kept = ({
    fromMs = -Infinity,
    toMs = Infinity,
  }: {
    fromMs?: EpochMs | undefined;
    toMs?: EpochMs | undefined;
  }): { fromMs: EpochMs; toMs: EpochMs } => ({
    fromMs: Math.max(fromMs, clock.now() - bounds.retentionMs),
    toMs: Math.min(toMs, clock.now() + bounds.aheadMs + 1),
  });
  const ranges = rangeSource(
    {
      segmentsIn: (tenantId, span, signal) => turns.take(signal, () => segmentsIn(reader, { tenantId, ...span }, signal)),
      hoursIn: (tenantId, wanted, signal) => turns.take(signal, () => keptHours({ db, bounds }, tenantId, wanted, signal)),
    },
    { ...RANGE_BOUNDS, seriesPerRead: bounds.seriesPerRead },
    () => ({ fromMs: clock.now() - bounds.retentionMs - DROPPED_WITHIN_MS, toMs: Infinity }),
  );
  return {
    ingest: (tenantId, rawEvents, options) => buffer.ingest(tenantId, rawEvents, options?.idempotencyKey),
    source: { read: (requests, signal, costs) => read(requests, signal, { costs }) },
    sourceNow: { read: (requests, signal) => turns.take(signal, () => read(requests, signal, { missingAtMost: Infinity })) },
    readRange: ranges.readRange,
    history: (requests, signal, options) => histories.history(requests, signal, options),
    prepare: (tenantId, needs, signal) => filler.prepare(tenantId, needs, signal),
    recent: (tenantId, filter) => turns.take(NEVER, () => recentEvents(reader, tenantId, { ...filter, ...kept(filter) })),
    metricsSeen: (tenantId) => withTenantsSql(db, [tenantId], (sql) => listEventNames(sql, tenantId)),
    queryRange: (tenantId, query, range, signal) => queryRange(ranges, tenantId, query, range, bounds.seriesPerQuery, signal),
    readEvaluations: (tenantId, ruleId, page) =>
      turns.take(NEVER, () => readEvaluations(reader, tenantId, ruleId, { ...page, ...kept(page) })),
    compact: (tenantIds, signal) => compact({ db, logger, clock, bounds }, tenantIds, signal),
    close: () => buffer.close(),
  };
}

async function segmentsIn(reader: SegmentReader, range: SegmentRange, signal: AbortSignal): Promise<Segment[]> {
  const segments: Segment[] = [];
  await readEachSegment(reader, 'events', [range], signal, (_, segment) => segments.push(segment));
  return segments;
}

function openFiller(db: Database, bounds: EventBounds): HourFiller {
  const own = { ...bounds, hoursCacheBytes: HOUSE_KEEPING_BYTES };
  const events = eventsSource({ db, metrics: null, cache: new SegmentCache(HOUSE_KEEPING_BYTES) }, own);
  const read = readWithHours(events, new LongWindows({ db, bounds: own }));
  return new HourFiller({ db, bounds: own, histories: new Histories({ db, bounds: own, read }) });
}
