/**
 * How late events come, as counts by bucket: an event's lag is the time from its `ts` to its arrival. Bucket 0 holds what came within a
 * millisecond or ahead of its time, bucket n what came within 1.25ⁿ ms; the last holds a day and more.
 */
export type LagCounts = readonly number[];

const GROWTH = Math.log(1.25);
export const LAG_BUCKETS = 83;

export function lagBucket(lagMs: number): number {
  return lagMs <= 1 ? 0 : Math.min(LAG_BUCKETS - 1, Math.ceil(Math.log(lagMs) / GROWTH));
}

/** The lag, in whole milliseconds, within which that share of events came; at most a quarter too much. Null: there are none. */
export function lagWithin(share: number, counts: LagCounts): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  let seen = 0;
  const bucket = counts.findIndex((count) => (seen += count) >= share * total);
  return Math.ceil(Math.exp(GROWTH * (bucket === -1 ? LAG_BUCKETS - 1 : bucket)));
}

/** Of several event names as if they were one. */
export function addLags(all: readonly LagCounts[]): number[] {
  const sum = new Array<number>(LAG_BUCKETS).fill(0);
  for (const counts of all) for (const [bucket, count] of counts.entries()) sum[bucket] = (sum[bucket] ?? 0) + count;
  return sum;
}
