/** Ranks are counted one by one, in blocks of this many, and in blocks of blocks. */
const BLOCK_BITS = 7;
/** Sorted at once; more are sorted in runs, which are merged. */
const RUN = 2 ** 16;

/**
 * A stretch of an array that moves along it, of which it is always known how many values of each rank it holds: moving costs what comes in and
 * goes out, however long the stretch is.
 */
export class RankedValues {
  /** In the stretch. */
  distinct = 0;
  private from = 0;
  private to = 0;
  private readonly sorted: Float64Array;
  /** By place in the array. */
  private readonly ranks: Uint32Array;
  private readonly single: Uint32Array;
  private readonly blocks: Uint32Array;
  private readonly blocksOfBlocks: Uint32Array;

  private constructor(sorted: Float64Array, ranks: Uint32Array) {
    this.sorted = sorted;
    this.ranks = ranks;
    this.single = new Uint32Array(sorted.length);
    this.blocks = new Uint32Array((sorted.length >> BLOCK_BITS) + 1);
    this.blocksOfBlocks = new Uint32Array((sorted.length >> (2 * BLOCK_BITS)) + 1);
  }

  /** Yields so that others get a turn; the values may not change meanwhile. */
  static *of(values: Float64Array): Generator<undefined, RankedValues> {
    const sorted = yield* sortedInRuns(values);
    const ranks = new Uint32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      ranks[i] = rankOf(sorted, values[i]!);
      if (i % RUN === RUN - 1) yield;
    }
    return new RankedValues(sorted, ranks);
  }

  moveTo(from: number, to: number): void {
    while (this.to < to) this.enter(this.to++);
    while (this.from > from) this.enter(--this.from);
    while (this.to > to) this.leave(--this.to);
    while (this.from < from) this.leave(this.from++);
  }

  /** The value of that rank in the stretch, 0 for the smallest. */
  valueAt(rank: number): number {
    let left = rank;
    let block = 0;
    while (left >= this.blocksOfBlocks[block]!) left -= this.blocksOfBlocks[block++]!;
    block <<= BLOCK_BITS;
    while (left >= this.blocks[block]!) left -= this.blocks[block++]!;
    let place = block << BLOCK_BITS;
    while (left >= this.single[place]!) left -= this.single[place++]!;
    return this.sorted[place]!;
  }

  private enter(place: number): void {
    const rank = this.ranks[place]!;
    if (this.single[rank] === 0) this.distinct += 1;
    this.single[rank]! += 1;
    this.blocks[rank >> BLOCK_BITS]! += 1;
    this.blocksOfBlocks[rank >> (2 * BLOCK_BITS)]! += 1;
  }

  private leave(place: number): void {
    const rank = this.ranks[place]!;
    this.single[rank]! -= 1;
    if (this.single[rank] === 0) this.distinct -= 1;
    this.blocks[rank >> BLOCK_BITS]! -= 1;
    this.blocksOfBlocks[rank >> (2 * BLOCK_BITS)]! -= 1;
  }
}

/** Where the first of the equal values is. */
function rankOf(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function* sortedInRuns(values: Float64Array): Generator<undefined, Float64Array> {
  let sorted: Float64Array = values.slice();
  for (let from = 0; from < sorted.length; from += RUN) {
    sorted.subarray(from, from + RUN).sort();
    yield;
  }
  if (sorted.length <= RUN) return sorted;
  let merged: Float64Array = new Float64Array(sorted.length);
  for (let run = RUN; run < sorted.length; run *= 2) {
    for (let from = 0; from < sorted.length; from += 2 * run) {
      const middle = Math.min(from + run, sorted.length);
      const end = Math.min(from + 2 * run, sorted.length);
      for (let at = from, left = from, right = middle; at < end; at++) {
        const takesLeft = right === end || (left < middle && sorted[left]! <= sorted[right]!);
        merged[at] = takesLeft ? sorted[left++]! : sorted[right++]!;
        if (at % RUN === RUN - 1) yield;
      }
    }
    [sorted, merged] = [merged, sorted];
  }
  return sorted;
}
