import { listEventNames, withTenantsSql } from '@tocsin/db';
import type { EpochMs, MetricSource } from '@tocsin/domain';
import { DEFAULT_BOUNDS } from './bounds.ts';
import { compact } from './compaction/compact.ts';
import { readEvaluations } from './evaluations/read-evaluations.ts';
import type { EventStore, EventStoreDeps } from './event-store.ts';
import { EventLags } from './ingest/event-lags.ts';
import { IngestBuffer } from './ingest/ingest-buffer.ts';
import { SeenNames } from './ingest/seen-names.ts';
import { eventsSource } from './read/events-source.ts';
import { queryRange } from './read/query-range.ts';
import { recentEvents } from './read/recent.ts';
import { SegmentCache } from './read/segment-cache.ts';
import { Turns } from './read/turns.ts';

const NEVER = new AbortController().signal;

/** One a process: the ingest buffer and the cache of opened segments live here. */
export function openEventStore({ db, logger, metrics, clock, bounds: overrides }: EventStoreDeps): EventStore {
  const bounds = { ...DEFAULT_BOUNDS, ...overrides };
  const buffer = new IngestBuffer({ db, logger, metrics, clock, bounds, seenNames: new SeenNames(bounds), eventLags: new EventLags() });
  const reader = { db, metrics, cache: new SegmentCache(bounds.cacheBytes) };
  const source = eventsSource(reader, bounds);
  const turns = new Turns(bounds.readsForPeople);
  const inTurn: MetricSource = { read: (requests, signal) => turns.take(signal, () => source.read(requests, signal)) };
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
  return {
    ingest: (tenantId, rawEvents, options) => buffer.ingest(tenantId, rawEvents, options?.idempotencyKey),
    source,
    recent: (tenantId, filter) => turns.take(NEVER, () => recentEvents(reader, tenantId, { ...filter, ...kept(filter) })),
    metricsSeen: (tenantId) => withTenantsSql(db, [tenantId], (sql) => listEventNames(sql, tenantId)),
    queryRange: (tenantId, query, range, signal) => queryRange(inTurn, tenantId, query, range, bounds.seriesPerQuery, signal),
    readEvaluations: (tenantId, ruleId, page) =>
      turns.take(NEVER, () => readEvaluations(reader, tenantId, ruleId, { ...page, ...kept(page) })),
    compact: (tenantIds, signal) => compact({ db, logger, clock, bounds }, tenantIds, signal),
    close: () => buffer.close(),
  };
}
