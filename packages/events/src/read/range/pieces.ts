import type { EpochMs, RangeWindow } from '@tocsin/domain';
import { hourOf, nextHour } from '../../hours/hour.ts';

/** The time line cut at every edge of windows that overlap: a window is a run of pieces, and each piece is read once for all of them. */
export class Pieces {
  /** Piece `i` is `[edges[i], edges[i + 1])`. */
  readonly edges: Float64Array;
  readonly count: number;
  /** By window: its first piece, and the one after its last. Both 0 where it is empty. */
  readonly firstOf: Uint32Array;
  readonly endOf: Uint32Array;
  /** By piece: how many windows hold it, and how many of those that are read event by event. */
  readonly cover: Uint32Array;
  readonly exactCover: Uint32Array;
  readonly longestMs: number;

  /** @param isLong by window: 1 where its closed hours may be summed up; null: nowhere */
  constructor(windows: readonly RangeWindow[], isLong: Uint8Array | null = null) {
    this.edges = edgesOf(windows);
    this.count = Math.max(0, this.edges.length - 1);
    this.firstOf = new Uint32Array(windows.length);
    this.endOf = new Uint32Array(windows.length);
    const change = new Int32Array(this.edges.length);
    const ofLong = isLong === null ? null : new Int32Array(this.edges.length);
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
      if (ofLong === null || isLong![window] === 0) continue;
      ofLong[first]! += 1;
      ofLong[end]! -= 1;
    }
    this.longestMs = longestMs;
    this.cover = addedUp(change, this.count);
    const long = ofLong === null ? null : addedUp(ofLong, this.count);
    this.exactCover = long === null ? this.cover : this.cover.map((count, piece) => count - long[piece]!);
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

  /** Whole hours in `[fromMs, toMs)` that no window cuts and only long ones hold, in stretches, oldest first. */
  hours(fromMs: EpochMs, toMs: EpochMs): RangeWindow[] {
    const { edges, cover, exactCover } = this;
    const stretches: RangeWindow[] = [];
    for (let piece = Math.max(0, this.at(fromMs)); piece < this.count && edges[piece]! < toMs; piece++) {
      if (cover[piece] === 0 || exactCover[piece]! > 0) continue;
      const firstMs = nextHour(Math.max(fromMs, edges[piece]!));
      const endMs = hourOf(Math.min(toMs, edges[piece + 1]!));
      if (firstMs >= endMs) continue;
      const last = stretches.at(-1);
      if (last?.toMs === firstMs) last.toMs = endMs;
      else stretches.push({ fromMs: firstMs, toMs: endMs });
    }
    return stretches;
  }

  /** Whether some window holds anything of `[fromMs, toMs)`. */
  holds(fromMs: EpochMs, toMs: EpochMs): boolean {
    const { edges, cover } = this;
    for (let piece = Math.max(0, this.at(fromMs)); piece < this.count && edges[piece]! < toMs; piece++) if (cover[piece]! > 0) return true;
    return false;
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

function addedUp(changes: Int32Array, count: number): Uint32Array {
  const sums = new Uint32Array(count);
  for (let place = 0, sum = 0; place < count; place++) sums[place] = sum += changes[place]!;
  return sums;
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
