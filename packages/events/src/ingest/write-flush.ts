import {
  bumpHours,
  addEventLags,
  claimIngestKeys,
  type Database,
  findIngestKey,
  insertSegments,
  newId,
  type NewSegment,
  type SeenName,
  type SqlTx,
  upsertEventNames,
  withTenantsSql,
} from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { EventBounds } from '../bounds.ts';
import { ByteSink } from '../codec/byte-sink.ts';
import { encodeInto } from '../codec/encode.ts';
import type { SegmentBuilder } from '../codec/segment-builder.ts';
import { IdempotencyConflict } from '../errors.ts';
import type { EventStoreDeps } from '../event-store.ts';
import { HOUR_MS, hourOf } from '../hours/hour.ts';
import { type EventLags, measureLags } from './event-lags.ts';
import type { Answer, KeyedRequest, TenantShare, Waiter } from './flush.ts';
import type { SeenNames } from './seen-names.ts';

export interface FlushWriter {
  db: Database;
  bounds: EventBounds;
  seenNames: SeenNames;
  eventLags: EventLags;
  onLanded: EventStoreDeps['onLanded'] | null;
}

// One flush is written at a time, so all can share it.
const sink = new ByteSink(1 << 20);

/** Stores these tenants' events in one transaction, then answers their callers. Rejects, and nothing is stored or answered, when it fails. */
export async function writeFlush(
  { db, bounds, seenNames, eventLags, onLanded }: FlushWriter,
  shares: readonly TenantShare[],
  nowMs: EpochMs,
): Promise<void> {
  const keyed = shares.flatMap(({ tenantId, keyed: requests }) => requests.map((request) => ({ tenantId, request })));
  const tenantIds = shares.map(({ tenantId }) => tenantId);
  const { answers, news, lags, landed } = await withTenantsSql(db, tenantIds, async (sql) => {
    const fresh = await claimKeys(sql, keyed);
    const builders = shares.flatMap(({ tenantId, pending, keyed: requests }) =>
      [pending, ...requests.filter((request) => fresh.has(request)).map((request) => request.pending)]
        .flatMap(({ segments }) => segments)
        .filter(({ rows }) => rows > 0)
        .map((builder) => ({ tenantId, builder })),
    );
    const segments = encodeAll(builders);
    await insertSegments(sql, segments);
    await bumpHours(sql, pastHours(segments, nowMs));
    const seen = merged(builders.flatMap(({ tenantId, builder }) => seenNames.news(tenantId, builder, nowMs)));
    const kept = await upsertEventNames(sql, seen, bounds);
    const measured = builders.flatMap(({ tenantId, builder }) => measureLags(tenantId, builder, nowMs));
    const due = eventLags.due(measured, nowMs);
    const written = due.length === 0 ? [] : await addEventLags(sql, due);
    const earlier = await Promise.all(keyed.filter(({ request }) => !fresh.has(request)).map((each) => earlierAnswer(sql, each)));
    const stored = builders.map(({ tenantId, builder }, index) => ({
      tenantId,
      names: builder.names.texts,
      endsAtMs: segments[index]!.endsAtMs,
    }));
    return { answers: earlier, news: { seen, kept }, lags: { measured, written }, landed: stored };
  });
  seenNames.remember(news.seen, news.kept, nowMs);
  eventLags.remember(lags.measured, lags.written, nowMs);
  const replays = new Map(answers);
  for (const { waiters, keyed: requests } of shares) {
    for (const waiter of waiters) settle(waiter, undefined);
    for (const request of requests) settle(request, replays.get(request));
  }
  onLanded?.(landed);
}

function settle(waiter: Waiter, earlier: Answer | IdempotencyConflict | undefined): void {
  if (earlier === undefined) waiter.resolve({ ...waiter.answer, replayed: false });
  else if (earlier instanceof IdempotencyConflict) waiter.reject(earlier);
  else waiter.resolve({ ...earlier, replayed: true });
}

/** The requests whose key nobody used before. */
async function claimKeys(sql: SqlTx, keyed: readonly { tenantId: string; request: KeyedRequest }[]): Promise<Set<KeyedRequest>> {
  if (keyed.length === 0) return new Set();
  const claimed = await claimIngestKeys(
    sql,
    keyed.map(({ tenantId, request: { key, bodyHash, answer } }) => ({ tenantId, key, bodyHash, answer })),
  );
  const won = new Set(claimed.map(({ tenantId, key }) => `${tenantId} ${key}`));
  return new Set(keyed.filter(({ tenantId, request }) => won.has(`${tenantId} ${request.key}`)).map(({ request }) => request));
}

async function earlierAnswer(
  sql: SqlTx,
  { tenantId, request }: { tenantId: string; request: KeyedRequest },
): Promise<[KeyedRequest, Answer | IdempotencyConflict]> {
  const earlier = await findIngestKey(sql, tenantId, request.key);
  if (earlier === null) throw new Error('An Idempotency-Key is neither new nor known');
  return [request, earlier.bodyHash.equals(request.bodyHash) ? (earlier.answer as Answer) : new IdempotencyConflict()];
}

function encodeAll(builders: readonly { tenantId: string; builder: SegmentBuilder }[]): NewSegment[] {
  sink.reset();
  const ends = builders.map(({ builder }) => ({ from: encodeInto(sink, builder, { compact: false }), to: sink.length }));
  return builders.map(({ tenantId, builder }, index) => {
    const { from, to } = ends[index]!;
    const data = sink.bytes.subarray(from, to);
    return { tenantId, id: newId(), stream: 'events', level: 0, ...timesOf(builder), eventCount: builder.rows, data };
  });
}

/** What PostgreSQL's clock may be ahead of ours: it decides which hours are over, those that cannot be are left out. */
const CLOCKS_APART_MS = 60_000;

/** No segment of a flush goes beyond its minute. */
function pastHours(segments: readonly NewSegment[], nowMs: EpochMs): { tenantId: string; hourMs: EpochMs }[] {
  const hours = new Map<string, { tenantId: string; hourMs: EpochMs }>();
  for (const { tenantId, startsAtMs } of segments) {
    const hourMs = hourOf(startsAtMs);
    if (hourMs + HOUR_MS <= nowMs + CLOCKS_APART_MS) hours.set(`${tenantId} ${hourMs}`, { tenantId, hourMs });
  }
  return [...hours.values()];
}

function timesOf({ timestamps, rows }: SegmentBuilder): { startsAtMs: EpochMs; endsAtMs: EpochMs } {
  let min = Infinity;
  let max = -Infinity;
  for (let row = 0; row < rows; row++) {
    const ts = timestamps[row]!;
    if (ts < min) min = ts;
    if (ts > max) max = ts;
  }
  return { startsAtMs: min, endsAtMs: max + 1 };
}

/** One entry a tenant and name: a statement may not touch a row twice. */
function merged(seen: readonly SeenName[]): SeenName[] {
  const byName = Map.groupBy(seen, ({ tenantId, name }) => `${tenantId} ${name}`);
  return [...byName.values()].map((same) => ({
    tenantId: same[0]!.tenantId,
    name: same[0]!.name,
    dims: [...new Set(same.flatMap(({ dims }) => dims))],
    measures: [...new Set(same.flatMap(({ measures }) => measures))],
  }));
}
