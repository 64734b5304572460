/** What reading ranges may hold. Past it a query is answered by a second pass over fewer series, or fails with a reason. */
export const RANGE_BOUNDS = {
  /** Series times windows of all queries of a request: 32 MB. */
  points: 2_000_000,
  /** Numbers held while series are gathered of which it is not known yet whether they are answered: 64 MB. */
  numbers: 8_000_000,
  /** Values held for percentiles and numbers of distinct values, 12 bytes each. */
  values: 12_000_000,
  /** Values are ranked once where windows hold each of them more often than that. */
  overlap: 100,
};

export type RangeBounds = typeof RANGE_BOUNDS;

/** What all lanes of a request hold together. */
export interface RangeRoom {
  readonly bounds: RangeBounds;
  numbers: number;
  values: number;
}
