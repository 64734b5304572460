import type { Accumulator } from './accumulator.ts';
import { cellSize, type Needs } from './needs.ts';

/** What is known of a segment: nothing, all of it as one, or the two pieces it is cut into. */
const NOTHING = 0;
const WHOLE = 1;
const PIECES = 2;

/** Cells are made for so many segments at once: a tenant's hour is about two chunks, and growing copies nothing. */
const CHUNK_BITS = 5;
const CHUNK_SLOTS = 2 ** CHUNK_BITS;
/** In the place of the count of samples. */
const IN_ACCUMULATOR = -1;
const ACCUMULATOR_BYTES = 200;
const CHUNK_BYTES = 200;
const FIRST_VALUES = 256;
const NO_VALUES: Float64Array = new Float64Array(0);

/** A segment whole, or one of its two pieces. */
export type Part = 'whole' | 0 | 1;

/**
 * What one query found in each of a tenant's kept segments: a window adds it up instead of reading the rows again. Each segment has two
 * cells, one for each piece; what was not cut is in the first. A cell is as many numbers as the query needs. Values lie in one array in the
 * order in which they came, so that those of a window are usually one stretch.
 */
export class KeptPartials {
  /** Since the last time the cache looked for something to drop. */
  isUsed = true;
  bytes = 0;
  private readonly needs: Needs;
  private readonly cellSize: number;
  private kinds = new Uint8Array(CHUNK_SLOTS);
  private readonly chunks: (Float64Array | undefined)[] = [];
  private values: Float64Array = NO_VALUES;
  private valueCount = 0;
  private droppedValues = 0;
  /** By cell: what does not fit numbers. */
  private readonly accumulators = new Map<number, Accumulator>();

  constructor(needs: Needs) {
    this.needs = needs;
    this.cellSize = cellSize(needs);
  }

  has(slot: number, part: Part): boolean {
    const kind = slot < this.kinds.length ? this.kinds[slot]! : NOTHING;
    return kind === PIECES || (kind === WHOLE && part === 'whole');
  }

  /** What `has` said is there. */
  addTo(target: Accumulator, slot: number, part: Part): void {
    if (part !== 'whole') this.addCell(target, slot * 2 + part);
    else {
      this.addCell(target, slot * 2);
      if (this.kinds[slot] === PIECES) this.addCell(target, slot * 2 + 1);
    }
  }

  /** In place of what was known before. What is handed over may be used again. */
  set(slot: number, first: Accumulator, second: Accumulator | null): void {
    this.clear(slot);
    if (slot >= this.kinds.length) this.growKinds(slot);
    this.kinds[slot] = second === null ? WHOLE : PIECES;
    this.setCell(slot * 2, first);
    if (second !== null) this.setCell(slot * 2 + 1, second);
  }

  clear(slot: number): void {
    if (!this.has(slot, 'whole')) return;
    this.clearCell(slot * 2);
    if (this.kinds[slot] === PIECES) this.clearCell(slot * 2 + 1);
    this.kinds[slot] = NOTHING;
  }

  private addCell(target: Accumulator, cell: number): void {
    const cells = this.chunks[cell >> (CHUNK_BITS + 1)]!;
    const at = (cell & (2 * CHUNK_SLOTS - 1)) * this.cellSize;
    if (cells[at] === IN_ACCUMULATOR) target.merge(this.accumulators.get(cell)!);
    else target.addCell(cells, at, this.values);
  }

  private setCell(cell: number, partial: Accumulator): void {
    const cells = (this.chunks[cell >> (CHUNK_BITS + 1)] ??= this.newChunk());
    const at = (cell & (2 * CHUNK_SLOTS - 1)) * this.cellSize;
    if (partial.isNumbers) {
      if (this.needs.values) cells[at + this.cellSize - 1] = this.keepValues(partial.ownValues());
      partial.writeCell(cells, at);
      return;
    }
    cells[at] = IN_ACCUMULATOR;
    const kept = partial.moved();
    this.accumulators.set(cell, kept);
    this.bytes += kept.byteLength + ACCUMULATOR_BYTES;
  }

  private clearCell(cell: number): void {
    const cells = this.chunks[cell >> (CHUNK_BITS + 1)]!;
    const at = (cell & (2 * CHUNK_SLOTS - 1)) * this.cellSize;
    const kept = this.accumulators.get(cell);
    if (kept !== undefined) {
      this.bytes -= kept.byteLength + ACCUMULATOR_BYTES;
      this.accumulators.delete(cell);
    } else if (this.needs.values) this.droppedValues += cells[at]!;
    cells[at] = 0;
  }

  /** Where they are from now on. Arrays that are handed out already stay as they are. */
  private keepValues(added: Float64Array): number {
    if (this.valueCount + added.length > this.values.length) this.makeRoom(added.length);
    const at = this.valueCount;
    this.values.set(added, at);
    this.valueCount += added.length;
    return at;
  }

  /** A larger array without what was dropped, in the old order. */
  private makeRoom(count: number): void {
    const places: { from: number; count: number; cells: Float64Array; at: number }[] = [];
    for (const cells of this.chunks) {
      if (cells === undefined) continue;
      for (let at = 0; at < cells.length; at += this.cellSize) {
        const samples = cells[at]!;
        if (samples > 0) places.push({ from: cells[at + this.cellSize - 1]!, count: samples, cells, at: at + this.cellSize - 1 });
      }
    }
    places.sort((a, b) => a.from - b.from);
    const kept = this.valueCount - this.droppedValues;
    const values = new Float64Array(Math.max(FIRST_VALUES, (kept + count) * 2));
    let at = 0;
    for (const place of places) {
      values.set(this.values.subarray(place.from, place.from + place.count), at);
      place.cells[place.at] = at;
      at += place.count;
    }
    this.bytes += values.byteLength - this.values.byteLength;
    this.values = values;
    this.valueCount = at;
    this.droppedValues = 0;
  }

  private newChunk(): Float64Array {
    const chunk = new Float64Array(CHUNK_SLOTS * 2 * this.cellSize);
    this.bytes += chunk.byteLength + CHUNK_BYTES;
    return chunk;
  }

  private growKinds(slot: number): void {
    const kinds = new Uint8Array(Math.max(slot + 1, this.kinds.length * 2));
    kinds.set(this.kinds);
    this.kinds = kinds;
  }
}
