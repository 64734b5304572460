import type { EpochMs, RangeWindow } from '@tocsin/domain';

/** The time line cut at every edge of windows that overlap: a window is a run of pieces, and each piece is read once for all of them. */
export class Pieces {
  /** Piece `i` is `[edges[i], edges[i + 1])`. */
  readonly edges: Float64Array;
  readonly count: number;
  /** By window: its first piece, and the one after its last. Both 0 where it is empty. */
  readonly firstOf: Uint32Array;
  readonly endOf: Uint32Array;
  /** By piece: how many windows hold it. */
  readonly cover: Uint32Array;
  readonly longestMs: number;

  constructor(windows: readonly RangeWindow[]) {
    this.edges = edgesOf(windows);
    this.count = Math.max(0, this.edges.length - 1);
    this.firstOf = new Uint32Array(windows.length);
    this.endOf = new Uint32Array(windows.length);
    const change = new Int32Array(this.edges.length);
    let [longestMs, first, end] = [0, 0, 0];
    for (let window = 0; window < windows.length; window++) {
      const { fromMs, toMs } = windows[window]!;
      if (fromMs >= toMs) continue;
      longestMs = Math.max(longestMs, toMs - fromMs);
      first = this.at(fromMs, first);
      end = this.at(toMs, end);
      this.firstOf[window] = first;
      this.endOf[window] = end;
      change[first]! += 1;
      change[end]! -= 1;
    }
    this.longestMs = longestMs;
    this.cover = new Uint32Array(this.count);
    for (let piece = 0, cover = 0; piece < this.count; piece++) this.cover[piece] = cover += change[piece]!;
  }

  /**
   * The last piece that begins at that time or before, −1 when none does.
   * @param near where it was the last time: times mostly go on by little
   */
  at(ms: EpochMs, near = 0): number {
    const { edges } = this;
    for (let piece = near; piece < near + 3 && edges[piece]! <= ms; piece++) {
      if (piece + 1 === edges.length || edges[piece + 1]! > ms) return piece;
    }
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (edges[middle]! <= ms) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The stretches of time that some window holds, oldest first. */
  spans(): RangeWindow[] {
    const spans: RangeWindow[] = [];
    for (let piece = 0; piece < this.count; piece++) {
      if (this.cover[piece] === 0) continue;
      const [fromMs, toMs] = [this.edges[piece]!, this.edges[piece + 1]!];
      const last = spans.at(-1);
      if (last?.toMs === fromMs) last.toMs = toMs;
      else spans.push({ fromMs, toMs });
    }
    return spans;
  }
}

/** In order, each once. */
function edgesOf(windows: readonly RangeWindow[]): Float64Array {
  const all = new Float64Array(windows.length * 2);
  let count = 0;
  for (const { fromMs, toMs } of windows) {
    if (fromMs >= toMs) continue;
    all[count++] = fromMs;
    all[count++] = toMs;
  }
  const edges = all.subarray(0, count).sort();
  let kept = 0;
  for (let i = 0; i < count; i++) if (i === 0 || edges[i] !== edges[kept - 1]) edges[kept++] = edges[i]!;
  return edges.slice(0, kept);
}
