import type { Aggregation } from '@tocsin/domain';

/** What a series must gather to answer all aggregations asked of it. Equal needs are the same object. */
export interface Needs {
  readonly sum: boolean;
  readonly extremes: boolean;
  readonly last: boolean;
  readonly values: boolean;
  readonly distinct: boolean;
  /** Tells them apart. */
  readonly key: number;
}

const SUM = 1;
const EXTREMES = 2;
const LAST = 4;
const VALUES = 8;
const DISTINCT = 16;
const ALL_NEEDS = Array.from({ length: 32 }, (_, key): Needs => {
  const has = (bit: number): boolean => (key & bit) !== 0;
  return { sum: has(SUM), extremes: has(EXTREMES), last: has(LAST), values: has(VALUES), distinct: has(DISTINCT), key };
});

export function needsOf(aggregations: Iterable<Aggregation>, isShare: boolean): Needs {
  let key = 0;
  for (const aggregation of aggregations) key |= needOf(aggregation, isShare);
  return ALL_NEEDS[key]!;
}

function needOf(aggregation: Aggregation, isShare: boolean): number {
  switch (aggregation) {
    case 'sum':
    case 'avg':
      return SUM;
    case 'count':
    case 'rate':
      // A share counts its hits, which are worth 100 each.
      return isShare ? SUM : 0;
    case 'min':
    case 'max':
      return EXTREMES;
    case 'last':
      return LAST;
    case 'distinct':
      return DISTINCT;
    default:
      return VALUES;
  }
}

/** How many numbers `writeCell` needs, and one for where the values start. */
export function cellSize({ sum, extremes, last, values }: Needs): number {
  return 1 + (sum ? 3 : 0) + (extremes ? 2 : 0) + (last ? 2 : 0) + (values ? 1 : 0);
}
