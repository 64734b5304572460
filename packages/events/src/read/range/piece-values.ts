import { giveRoom, takeRoom } from '../value-room.ts';

const NO_VALUES: Float64Array = new Float64Array(0);

/** A series' values by piece, for what only all values together tell. */
export class PieceValues {
  values = NO_VALUES;
  count = 0;
  /** Of each run of values its piece and how many they are, in turn. */
  private runs = new Uint32Array(16);
  private runsEnd = 0;
  private isOrdered = true;

  append(from: Float64Array, start: number, end: number, piece: number): void {
    const count = this.count + end - start;
    if (count > this.values.length) this.changeRoom(count);
    const { values } = this;
    for (let i = start, at = this.count; i < end; i++) values[at++] = from[i]!;
    this.count = count;
    this.addRun(piece, end - start);
  }

  /** Brings the values into the order of their pieces. Answers where those of each piece start, and where the last ones end. */
  arrange(pieceCount: number): Uint32Array {
    const { runs, runsEnd, values } = this;
    const starts = new Uint32Array(pieceCount + 1);
    for (let run = 0; run < runsEnd; run += 2) starts[runs[run]! + 1]! += runs[run + 1]!;
    for (let piece = 0; piece < pieceCount; piece++) starts[piece + 1]! += starts[piece]!;
    if (this.isOrdered) return starts;
    const next = starts.slice();
    const ordered = takeRoom(values.length);
    for (let run = 0, from = 0; run < runsEnd; run += 2) {
      const piece = runs[run]!;
      for (const end = from + runs[run + 1]!; from < end; from++) ordered[next[piece]!++] = values[from]!;
    }
    giveRoom(values);
    this.values = ordered;
    this.runsEnd = 0;
    this.isOrdered = true;
    for (let piece = 0; piece < pieceCount; piece++) {
      if (starts[piece + 1]! > starts[piece]!) this.addRun(piece, starts[piece + 1]! - starts[piece]!);
    }
    return starts;
  }

  /** After `arrange`: drops the first pieces; the others move to their places. */
  shift(pieceCount: number): void {
    const { runs } = this;
    let [dropped, run] = [0, 0];
    for (; run < this.runsEnd && runs[run]! < pieceCount; run += 2) dropped += runs[run + 1]!;
    runs.copyWithin(0, run, this.runsEnd);
    this.runsEnd -= run;
    for (let at = 0; at < this.runsEnd; at += 2) runs[at]! -= pieceCount;
    this.values.copyWithin(0, dropped, this.count);
    this.count -= dropped;
    // Most of the room was for what is gone.
    if (this.count < this.values.length / 8) this.changeRoom(this.count);
  }

  /** Takes away the values appended last if so many are of that piece; they are there until the next change. Null: there are fewer. */
  takeLast(piece: number, atLeast: number): Float64Array | null {
    const last = this.runsEnd - 2;
    if (last < 0 || this.runs[last] !== piece || this.runs[last + 1]! < atLeast) return null;
    const end = this.count;
    this.count -= this.runs[last + 1]!;
    this.runsEnd = last;
    return this.values.subarray(this.count, end);
  }

  /** Its room is for others. */
  release(): void {
    giveRoom(this.values);
    this.values = NO_VALUES;
    this.count = 0;
    this.runsEnd = 0;
  }

  private addRun(piece: number, count: number): void {
    const last = this.runsEnd - 2;
    if (last >= 0 && this.runs[last] === piece) {
      this.runs[last + 1]! += count;
      return;
    }
    if (last >= 0 && this.runs[last]! > piece) this.isOrdered = false;
    if (this.runsEnd === this.runs.length) {
      const runs = new Uint32Array(this.runs.length * 2);
      runs.set(this.runs);
      this.runs = runs;
    }
    this.runs[this.runsEnd++] = piece;
    this.runs[this.runsEnd++] = count;
  }

  private changeRoom(atLeast: number): void {
    const { values } = this;
    this.values = atLeast === 0 ? NO_VALUES : takeRoom(atLeast);
    this.values.set(values.subarray(0, this.count));
    giveRoom(values);
  }
}
