import { Accumulator } from '../accumulator.ts';
import { cellSize, type Needs } from '../needs.ts';

/** In the place of the count of samples: what was gathered is no cell. */
const ODD = -1;
const NO_VALUES: Float64Array = new Float64Array(0);

/** What a series gathers in each of a run of pieces, side by side as numbers. */
export class PieceCells {
  cells: Float64Array = NO_VALUES;
  /** By piece: sums that are no three numbers. */
  readonly odd = new Map<number, Accumulator>();
  private readonly size: number;

  constructor(needs: Needs) {
    this.size = cellSize(needs);
  }

  /** Adds what `portion` has gathered, which may be used again. */
  add(piece: number, portion: Accumulator): void {
    const at = piece * this.size;
    if (at >= this.cells.length) this.cells = resized(this.cells, Math.max(at + this.size, this.cells.length * 2));
    const { cells } = this;
    if (cells[at] === ODD) portion.merge(this.odd.get(piece)!);
    else portion.addCell(cells, at, NO_VALUES);
    if (portion.isNumbers) {
      portion.writeCell(cells, at);
      return;
    }
    cells[at] = ODD;
    this.odd.set(piece, portion.moved());
  }

  /** Drops the first pieces; the others move to their places. Answers whether anything is left. */
  shift(pieces: number): boolean {
    const { cells, odd, size } = this;
    const by = Math.min(pieces * size, cells.length);
    cells.copyWithin(0, by);
    cells.fill(0, cells.length - by);
    for (const [piece, sums] of [...odd].sort(([a], [b]) => a - b)) {
      odd.delete(piece);
      if (piece >= pieces) odd.set(piece - pieces, sums);
    }
    for (let at = 0; at < cells.length; at += size) if (cells[at] !== 0) return true;
    return false;
  }
}

/** Sums up any run of a series' pieces from few parts: pairs of cells are merged, pairs of those, and so on. */
export class CellTree {
  /** The merge of nodes 2n and 2n + 1 is node n; the pieces themselves come last. */
  private nodes: Float64Array = NO_VALUES;
  private pieces = 0;
  private odd: ReadonlyMap<number, Accumulator> = new Map();
  private readonly size: number;
  private readonly pair: Accumulator;

  constructor(needs: Needs) {
    this.size = cellSize(needs);
    this.pair = new Accumulator(needs);
  }

  build({ cells, odd }: PieceCells, pieces: number): void {
    const { size, pair } = this;
    if (this.nodes.length < 2 * pieces * size) this.nodes = new Float64Array(2 * pieces * size);
    const { nodes } = this;
    this.pieces = pieces;
    this.odd = odd;
    const held = cells.subarray(0, pieces * size);
    nodes.set(held, pieces * size);
    nodes.fill(0, pieces * size + held.length, 2 * pieces * size);
    for (let node = pieces - 1; node > 0; node--) {
      const at = node * size;
      const [left, right] = [2 * at, 2 * at + size];
      if (nodes[left] === ODD || nodes[right] === ODD) nodes[at] = ODD;
      else if (nodes[right] === 0) nodes.copyWithin(at, left, left + size);
      else if (nodes[left] === 0) nodes.copyWithin(at, right, right + size);
      else {
        pair.reset();
        pair.addCell(nodes, left, NO_VALUES);
        pair.addCell(nodes, right, NO_VALUES);
        if (pair.isNumbers) pair.writeCell(nodes, at);
        else nodes[at] = ODD;
      }
    }
  }

  /** Adds what pieces `[from, to)` hold. */
  addTo(target: Accumulator, from: number, to: number): void {
    let left = from + this.pieces;
    let right = to + this.pieces;
    for (; left < right; left >>= 1, right >>= 1) {
      if ((left & 1) === 1) this.addNode(target, left++);
      if ((right & 1) === 1) this.addNode(target, --right);
    }
  }

  private addNode(target: Accumulator, node: number): void {
    const at = node * this.size;
    if (this.nodes[at] !== ODD) target.addCell(this.nodes, at, NO_VALUES);
    else if (node >= this.pieces) target.merge(this.odd.get(node - this.pieces)!);
    else {
      this.addNode(target, 2 * node);
      this.addNode(target, 2 * node + 1);
    }
  }
}

function resized(from: Float64Array, length: number): Float64Array {
  const to = new Float64Array(length);
  to.set(from);
  return to;
}
