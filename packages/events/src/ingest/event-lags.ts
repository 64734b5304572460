import type { EventLag } from '@tocsin/db';
import { type EpochMs, LAG_BUCKETS, lagBucket, lagWithin } from '@tocsin/domain';
import type { SegmentBuilder } from '../codec/segment-builder.ts';

/** Of a segment's events so many are looked at, each for its share of all. */
const SAMPLED = 256;
const WRITTEN_AT_MOST_EVERY_MS = 60_000;
/** Lags that are as they were are told this much more rarely. */
const WRITTEN_AT_LEAST_EVERY_MS = 15 * 60_000;
const MOST_NAMES = 20_000;

interface NameLag {
  tenantId: string;
  name: string;
  /** By bucket, of what is not written yet. */
  counts: Map<number, number>;
  writtenMs: EpochMs;
  /** What was written last said so, in its bucket. */
  writtenBucket: number;
}

/** Counts by bucket, for each name of a segment. */
export type MeasuredLags = { tenantId: string; name: string; counts: Map<number, number> }[];

/** How late the events of a segment are, from a sample of them. */
export function measureLags(tenantId: string, { rows, names, timestamps }: SegmentBuilder, nowMs: EpochMs): MeasuredLags {
  const stride = Math.ceil(rows / SAMPLED);
  const byCode = new Map<number, Map<number, number>>();
  for (let row = stride >> 1; row < rows; row += stride) {
    const code = names.codes[row]!;
    let counts = byCode.get(code);
    if (counts === undefined) byCode.set(code, (counts = new Map()));
    const bucket = lagBucket(nowMs - timestamps[row]!);
    counts.set(bucket, (counts.get(bucket) ?? 0) + stride);
  }
  return [...byCode].map(([code, counts]) => ({ tenantId, name: names.texts[code - 1]!, counts }));
}

/** What this process has measured of lags and not yet written: a usual flush writes none. */
export class EventLags {
  private readonly names = new Map<string, NameLag>();

  /** What is to be written in the flush that holds these, of the names in it alone. */
  due(measured: MeasuredLags, nowMs: EpochMs): EventLag[] {
    return [...summed(measured)].flatMap(([key, { tenantId, name, counts }]) => {
      const known = this.names.get(key);
      const all = known === undefined ? counts : added(new Map(known.counts), counts);
      if (known !== undefined && !isDue(known, all, nowMs)) return [];
      return { tenantId, name, counts: listed(all) };
    });
  }

  /** To be called once they are committed; `written` are those of `due` that the catalogue took. */
  remember(measured: MeasuredLags, written: readonly Pick<EventLag, 'tenantId' | 'name'>[], nowMs: EpochMs): void {
    for (const [key, { tenantId, name, counts }] of summed(measured)) {
      const known = this.names.get(key);
      if (known !== undefined) added(known.counts, counts);
      // A name that was never written is written by the flush it comes with, or there is no room for it.
      else this.add(key, { tenantId, name, counts, writtenMs: -Infinity, writtenBucket: -1 });
    }
    for (const { tenantId, name } of written) {
      const known = this.names.get(keyOf(tenantId, name));
      if (known === undefined) continue;
      known.writtenBucket = latest(known.counts);
      known.writtenMs = nowMs;
      known.counts.clear();
    }
  }

  private add(key: string, lag: NameLag): void {
    if (this.names.size >= MOST_NAMES) this.names.delete(this.names.keys().next().value!);
    this.names.set(key, lag);
  }
}

function isDue({ writtenMs, writtenBucket }: NameLag, counts: ReadonlyMap<number, number>, nowMs: EpochMs): boolean {
  const ageMs = nowMs - writtenMs;
  return ageMs >= WRITTEN_AT_LEAST_EVERY_MS || (ageMs >= WRITTEN_AT_MOST_EVERY_MS && Math.abs(latest(counts) - writtenBucket) > 1);
}

/** The bucket of their 99th percentile. */
const latest = (counts: ReadonlyMap<number, number>): number => lagBucket(lagWithin(0.99, listed(counts)) ?? 0);

function summed(measured: MeasuredLags): Map<string, MeasuredLags[number]> {
  const sums = new Map<string, MeasuredLags[number]>();
  for (const { tenantId, name, counts } of measured) {
    const key = keyOf(tenantId, name);
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { tenantId, name, counts: new Map(counts) });
    else added(sum.counts, counts);
  }
  return sums;
}

function added(to: Map<number, number>, counts: ReadonlyMap<number, number>): Map<number, number> {
  for (const [bucket, count] of counts) to.set(bucket, (to.get(bucket) ?? 0) + count);
  return to;
}

const listed = (counts: ReadonlyMap<number, number>): number[] =>
  Array.from({ length: LAG_BUCKETS }, (_, bucket) => counts.get(bucket) ?? 0);

const keyOf = (tenantId: string, name: string): string => `${tenantId} ${name}`;
