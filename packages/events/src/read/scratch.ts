/** Room for one segment's rows, used again for the next one. Nothing in it outlives the handling of a segment. */
export interface Samples {
  count: number;
  values: Float64Array;
  /** The row each value comes from. */
  rows: Uint32Array;
}

export function samples(): Samples {
  return { count: 0, values: new Float64Array(0), rows: new Uint32Array(0) };
}

export function ensureRoom(target: Samples, rows: number): void {
  target.count = 0;
  if (target.values.length >= rows) return;
  target.values = new Float64Array(rows * 2);
  target.rows = new Uint32Array(rows * 2);
}
