const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What the event store refuses to exceed. Every one of them answers with a clear error, never with growth. */
export const DEFAULT_BOUNDS = {
  /** Events older than this are refused, and days older than this are dropped. */
  retentionMs: 30 * DAY,
  /** How far ahead of our clock an event may claim to be. */
  aheadMs: 5 * MINUTE,
  dimsPerEvent: 32,
  measuresPerEvent: 32,
  dimValueLength: 256,
  /** Event, dimension and measure names. */
  nameLength: 256,
  /** Events that share one commit. */
  eventsPerFlush: 5_000,
  /** Accepted but not yet committed, over all tenants; past it callers are told to come back. */
  bufferedEvents: 100_000,
  bufferedBytes: 64 * 1024 * 1024,
  /** A request not durable after this is told to come back, and so is every new one while a flush is older. */
  flushDeadlineMs: 10_000,
  /** Decoded segments kept between reads. */
  cacheBytes: 512 * 1024 * 1024,
  /** What is made of closed hours, decoded and kept between reads. */
  hoursCacheBytes: 128 * 1024 * 1024,
  /** Reads that people asked for at once in a process: of its connections for COPY the others are left to evaluations. */
  readsForPeople: 2,
  /** Series a query answers with, and of which an hour's sums are kept: those of the most samples. */
  seriesPerQuery: 1_000,
  /** Series that all queries of a tenant look at in one read. */
  seriesPerRead: 250_000,
  /** Event names remembered per tenant for the catalogue of what was seen. */
  namesPerTenant: 1_000,
  /** Dimension and measure names remembered per event name. */
  fieldsPerName: 256,
  /** A minute is compacted once it is this old. */
  quietMs: 5 * MINUTE,
  /** Events of one compacted segment. */
  eventsPerSegment: 65_536,
};

export type EventBounds = typeof DEFAULT_BOUNDS;
