/** One figure of a benchmark; `values` are the single runs, of which the median counts. */
export interface Result {
  name: string;
  unit: string;
  values: number[];
  /** What it should at least be, or at most where the note says so. */
  target?: number;
  note: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
