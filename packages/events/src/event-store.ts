import type { Database, EventNameRow } from '@tocsin/db';
import type { Clock, EpochMs, HistorySource, HoursNeed, Labels, MetricQuery, MetricSource, RangeSource } from '@tocsin/domain';
import type { Logger, Metrics } from '@tocsin/runtime';
import type { EventBounds } from './bounds.ts';
import type { EvaluationPage } from './evaluation-row.ts';
import type { Rejection, TelemetryEvent } from './event.ts';

export interface EventStoreDeps {
  db: Database;
  logger: Logger;
  metrics: Metrics;
  clock: Clock;
  bounds?: Partial<EventBounds>;
  /** Told of what was stored, after the commit. Must neither wait nor throw. */
  onLanded?: (landed: readonly Landed[]) => void;
}

/** Events of a tenant that were stored. */
export interface Landed {
  tenantId: string;
  /** At least those of the events. */
  names: readonly string[];
  /** Just after the newest. */
  endsAtMs: EpochMs;
}

export interface IngestAnswer {
  accepted: number;
  rejected: Rejection[];
  /** The stored answer to an earlier request with the same Idempotency-Key. */
  replayed: boolean;
}

export interface RangeSeries {
  labels: Labels;
  /** One for each step, oldest first; `atMs` is the end of its window. */
  points: { atMs: EpochMs; value: number | null; samples: number }[];
}

export interface RangeAnswer {
  series: RangeSeries[];
  /** Series past the bound. */
  dropped: number;
  /** `hours`: windows of more than 6 h, of which closed hours may be summed up. */
  basis: 'events' | 'hours';
}

export interface EventStore {
  /**
   * Takes what is well-formed, refuses the rest one by one, and resolves once the taken events are durable.
   * Throws `Overloaded` when the buffer is full or Postgres is slow or away, `IdempotencyConflict` for a key reused with another body.
   */
  ingest: (tenantId: string, rawEvents: readonly unknown[], options?: { idempotencyKey?: string | undefined }) => Promise<IngestAnswer>;
  /** The `events` source. Windows of more than 6 h are answered from closed hours, `warming` until those are prepared. */
  source: MetricSource;
  /** The same for people, who take turns and do not ask again: closed hours that nobody has prepared are summed up at once. */
  sourceNow: MetricSource;
  /**
   * Many windows of each query in one pass, whatever they overlap: for every window what `source` answers for it alone, bit for bit, without
   * waiting for hours: of those that are not prepared the events are read. `progress` is told a share of 1, ever more of it.
   */
  readRange: RangeSource['readRange'];
  /** What queries were worth at the steps of closed hours. */
  history: HistorySource['history'];
  /**
   * Makes what is needed of closed hours and is missing, the newest first, for seconds at most; what is left is left to the next call. To be asked for
   * again and again, with all that the tenant needs. Safe to run anywhere, any number at once.
   */
  prepare: (tenantId: string, needs: readonly HoursNeed[], signal: AbortSignal) => Promise<{ made: number; missing: number }>;
  /** Newest first. */
  recent: (
    tenantId: string,
    filter: { name?: string | undefined; fromMs: EpochMs; toMs: EpochMs; limit: number },
  ) => Promise<TelemetryEvent[]>;
  /** Event names with the dimensions and measures seen on them, by name. */
  metricsSeen: (tenantId: string) => Promise<EventNameRow[]>;
  /** Evaluates `query` for windows ending at `fromMs + stepMs`, … up to `toMs`. Rejects when a window cannot be read. */
  queryRange: (
    tenantId: string,
    query: MetricQuery,
    range: { fromMs: EpochMs; toMs: EpochMs; stepMs: number },
    signal: AbortSignal,
  ) => Promise<RangeAnswer>;
  /** Newest slot first, series in key order within a slot. */
  readEvaluations: (
    tenantId: string,
    ruleId: string,
    page: { fromMs?: EpochMs | undefined; toMs?: EpochMs | undefined; limit: number; cursor?: string | undefined },
  ) => Promise<EvaluationPage>;
  /** Merges quiet minutes and day-old hours of these tenants. Safe to run anywhere, any number at once. */
  compact: (tenantIds: readonly string[], signal: AbortSignal) => Promise<{ merged: number; written: number }>;
  /** Waits for what was accepted to be durable; new events are refused meanwhile and after. */
  close: () => Promise<void>;
}
