/** A series' values with the piece of each, for what only all values together tell. */
export class PieceValues {
  values: Float64Array = new Float64Array(0);
  count = 0;
  private pieces = new Uint32Array(0);
  private isOrdered = true;

  append(from: Float64Array, start: number, end: number, piece: number): void {
    const count = this.count + end - start;
    if (count > this.values.length) this.grow(count * 2);
    const { values, pieces } = this;
    if (this.count > 0 && pieces[this.count - 1]! > piece) this.isOrdered = false;
    for (let i = start, at = this.count; i < end; i++, at++) {
      values[at] = from[i]!;
      pieces[at] = piece;
    }
    this.count = count;
  }

  /** Brings the values into the order of their pieces. Answers where those of each piece start, and where the last ones end. */
  arrange(pieceCount: number): Uint32Array {
    const { values, pieces, count } = this;
    const starts = new Uint32Array(pieceCount + 1);
    for (let i = 0; i < count; i++) starts[pieces[i]! + 1]! += 1;
    for (let piece = 0; piece < pieceCount; piece++) starts[piece + 1]! += starts[piece]!;
    if (this.isOrdered) return starts;
    const next = starts.slice();
    const ordered = new Float64Array(values.length);
    for (let i = 0; i < count; i++) ordered[next[pieces[i]!]!++] = values[i]!;
    for (let piece = 0; piece < pieceCount; piece++) pieces.fill(piece, starts[piece], starts[piece + 1]);
    this.values = ordered;
    this.isOrdered = true;
    return starts;
  }

  /** After `arrange`: drops the first pieces; the others move to their places. */
  shift(pieceCount: number): void {
    const { values, pieces } = this;
    let from = 0;
    while (from < this.count && pieces[from]! < pieceCount) from++;
    values.copyWithin(0, from, this.count);
    pieces.copyWithin(0, from, this.count);
    this.count -= from;
    for (let i = 0; i < this.count; i++) pieces[i]! -= pieceCount;
    // Most of the room was for what is gone.
    if (this.values.length > 1_024 && this.count < this.values.length / 8) this.grow(this.count * 2);
  }

  private grow(room: number): void {
    const [values, pieces] = [new Float64Array(room), new Uint32Array(room)];
    values.set(this.values.subarray(0, this.count));
    pieces.set(this.pieces.subarray(0, this.count));
    this.values = values;
    this.pieces = pieces;
  }
}
