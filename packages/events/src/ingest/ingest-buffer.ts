import { createHash } from 'node:crypto';
import { isRetryable, sqlState, tookTooLong } from '@tocsin/db';
import type { Clock } from '@tocsin/domain';
import type { Logger, Metrics } from '@tocsin/runtime';
import { Overloaded } from '../errors.ts';
import { type Answer, Flush, type TenantShare } from './flush.ts';
import { PendingEvents } from './pending-events.ts';
import { type FlushWriter, writeFlush } from './write-flush.ts';

const FULL_RETRY_MS = 1_000;
const AWAY_RETRY_MS = 2_000;

export interface IngestDeps extends FlushWriter {
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/**
 * Group commit: while one flush is being written the next one fills, and it is written as soon as the one before has returned. An idle
 * buffer has no timer and writes the first request at once. What waits is bounded; past the bound callers are told to come back.
 */
export class IngestBuffer {
  private readonly deps: IngestDeps;
  private readonly queue: Flush[] = [];
  private readonly keysInFlight = new Map<string, Promise<unknown>>();
  private writing: Promise<void> | null = null;
  private bufferedEvents = 0;
  private bufferedBytes = 0;
  /** The first of the queue is being written and takes no more. */
  private isWriting = false;
  private isClosed = false;

  constructor(deps: IngestDeps) {
    this.deps = deps;
  }

  async ingest(
    tenantId: string,
    rawEvents: readonly unknown[],
    idempotencyKey: string | undefined,
  ): Promise<Answer & { replayed: boolean }> {
    if (idempotencyKey === undefined) return this.wait(tenantId, rawEvents, undefined);
    const place = `${tenantId} ${idempotencyKey}`;
    // Two of the same key cannot share a flush; the second one then finds the first one's answer.
    for (let same = this.keysInFlight.get(place); same !== undefined; same = this.keysInFlight.get(place)) await same.catch(() => {});
    const answered = this.wait(tenantId, rawEvents, idempotencyKey);
    this.keysInFlight.set(place, answered);
    try {
      return await answered;
    } finally {
      this.keysInFlight.delete(place);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.writing;
  }

  private wait(tenantId: string, rawEvents: readonly unknown[], key: string | undefined): Promise<Answer & { replayed: boolean }> {
    return new Promise((resolve, reject) => {
      this.refuseWhenFull(rawEvents.length);
      const { clock, bounds, metrics } = this.deps;
      const flush = this.openFlush(rawEvents.length);
      const share = flush.shareOf(tenantId);
      const before = flush.meter.bytes;
      const pending = key === undefined ? share.pending : new PendingEvents(flush.meter);
      const answer = pending.add(rawEvents, clock.now(), bounds);
      flush.events += answer.accepted;
      this.bufferedEvents += answer.accepted;
      metrics.ingestEvents.inc({ result: 'accepted' }, answer.accepted);
      metrics.ingestEvents.inc({ result: 'rejected' }, answer.rejected.length);
      if (key === undefined) share.waiters.push({ answer, resolve, reject });
      else share.keyed.push({ answer, resolve, reject, key, bodyHash: hashOf(rawEvents), pending });
      this.bufferedBytes += flush.meter.bytes - before;
      this.writing ??= this.writeAll();
    });
  }

  private refuseWhenFull(events: number): void {
    const { clock, bounds } = this.deps;
    if (this.isClosed) throw new Overloaded('Shutting down', FULL_RETRY_MS);
    const oldest = this.queue[0];
    if (oldest !== undefined && clock.now() - oldest.startedMs > bounds.flushDeadlineMs)
      throw new Overloaded('The database is not keeping up', AWAY_RETRY_MS);
    if (this.bufferedEvents > 0 && this.bufferedEvents + events > bounds.bufferedEvents)
      throw new Overloaded('Too many events are waiting', FULL_RETRY_MS);
    if (this.bufferedBytes > bounds.bufferedBytes) throw new Overloaded('Too many bytes are waiting', FULL_RETRY_MS);
  }

  /** The newest flush while it has room; the oldest of the queue is the one being written. */
  private openFlush(events: number): Flush {
    const { clock, bounds } = this.deps;
    const newest = this.queue.at(-1);
    const isFilling = newest !== undefined && !(this.queue.length === 1 && this.isWriting);
    if (isFilling && !newest.isGivenUp && newest.events + events <= bounds.eventsPerFlush) return newest;
    const flush = new Flush(clock.now());
    this.queue.push(flush);
    flush.deadline = setTimeout(
      () => flush.giveUp(new Overloaded('The database is not keeping up', AWAY_RETRY_MS)),
      bounds.flushDeadlineMs,
    );
    return flush;
  }

  private async writeAll(): Promise<void> {
    // Requests that arrive in the same turn of the event loop share the first flush.
    await new Promise(setImmediate);
    for (let flush = this.queue[0]; flush !== undefined; flush = this.queue[0]) {
      this.isWriting = true;
      // Who was told to come back sends again: what they sent is better not stored.
      if (!flush.isGivenUp) await this.write(flush);
      clearTimeout(flush.deadline);
      this.isWriting = false;
      this.queue.shift();
      this.bufferedEvents -= flush.events;
      this.bufferedBytes -= flush.meter.bytes;
      this.deps.metrics.ingestBufferedEvents.set(this.bufferedEvents);
    }
    this.writing = null;
  }

  private async write(flush: Flush): Promise<void> {
    const stop = this.deps.metrics.ingestFlushSeconds.startTimer();
    try {
      await this.attempt([...flush.tenants.values()]);
    } finally {
      stop();
    }
  }

  /** What fails together is tried again tenant by tenant, so that one tenant's trouble stays its own. */
  private async attempt(shares: readonly TenantShare[]): Promise<void> {
    try {
      await writeFlush(this.deps, shares, this.deps.clock.now());
    } catch (error) {
      const isAway = isRetryable(error) || tookTooLong(error);
      // A lost race (class 40) is between these tenants and somebody else's transaction, not with the server.
      if (shares.length > 1 && (!isAway || sqlState(error)?.startsWith('40') === true)) {
        this.deps.logger.warn({ err: error, tenants: shares.length }, 'flush failed, trying each tenant alone');
        for (const share of shares) await this.attempt([share]);
        return;
      }
      this.deps.logger.error({ err: error, tenantIds: shares.map(({ tenantId }) => tenantId) }, 'events could not be stored');
      const told = isAway ? new Overloaded('The database is away', AWAY_RETRY_MS, error) : error;
      for (const { waiters, keyed } of shares) for (const waiter of [...waiters, ...keyed]) waiter.reject(told);
    }
  }
}

/** Of the events as parsed: white space and the order of the request's bytes do not matter. */
function hashOf(rawEvents: readonly unknown[]): Buffer {
  const hash = createHash('sha256');
  for (const raw of rawEvents) hash.update(JSON.stringify(raw) ?? 'undefined').update('\n');
  return hash.digest();
}
