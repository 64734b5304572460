/** One figure of a benchmark; `values` are the single runs, of which the median counts. */
export interface Result {
  name: string;
  unit: string;
  values: number[];
  /** What the median should be at least … */
  target?: number;
  /** … or at most. */
  atMost?: number;
  note: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
