import { zstdDecompressSync } from 'node:zlib';
import type { TelemetryEvent } from '../event.ts';
import { schema, textSet, type Schema, type TextSet } from './interned.ts';
import { ENTRY_BYTES, FLAG_SPLIT, FLAG_ZSTD, HEADER_BYTES, KIND_DELTA, KIND_FLOAT64, KIND_INTEGER, MAGIC, POWERS_OF_TEN } from './layout.ts';
import { integerView, readFloats, readIntegers } from './planes.ts';

/** The codes of a text column: one for all rows, or one for each. 0 is "absent". */
export type Codes = number | Uint8Array | Uint16Array | Uint32Array;

export interface TextColumnView extends TextSet {
  codes: Codes;
}

/** A segment opened for reading. Columns are read out of its bytes when asked for; texts are shared between segments. */
export class Segment {
  readonly rows: number;
  readonly minTs: number;
  readonly maxTs: number;
  /** What keeping it costs, in bytes. */
  readonly byteLength: number;
  readonly schema: Schema;
  private readonly body: Buffer<ArrayBuffer>;
  private readonly directory: number;
  private readonly isSplit: boolean;

  constructor(encoded: Buffer<ArrayBuffer>) {
    if (encoded.length < HEADER_BYTES || encoded.readUInt32LE(0) !== MAGIC) throw new Error('Not a segment of version 1');
    const flags = encoded.readUInt16LE(4);
    this.isSplit = (flags & FLAG_SPLIT) !== 0;
    this.rows = encoded.readUInt32LE(12);
    this.minTs = encoded.readDoubleLE(16);
    this.maxTs = encoded.readDoubleLE(24);
    const bodyBytes = encoded.readUInt32LE(32);
    const stored = encoded.subarray(HEADER_BYTES);
    const body = (flags & FLAG_ZSTD) === 0 ? stored : zstdDecompressSync(stored, { maxOutputLength: Math.max(1, bodyBytes) });
    if (body.length !== bodyBytes) throw new Error('A segment is cut short');
    this.body = aligned(body as Buffer<ArrayBuffer>);
    this.byteLength = bodyBytes + 300;
    this.directory = encoded.readUInt32LE(36);
    this.schema = schema(this.body, 0, this.directory, encoded.readUInt16LE(6));
  }

  names(): TextColumnView {
    return this.textColumn(1);
  }

  /** Null when no event has that dimension. */
  dim(name: string): TextColumnView | null {
    const place = this.schema.dimPlace.get(name);
    return place === undefined ? null : this.textColumn(2 + place);
  }

  /** Fills `out` with the measure of each event, NaN where it is absent; false, and nothing filled, when no event has it. */
  readMeasure(name: string, out: Float64Array): boolean {
    const place = this.schema.measurePlace.get(name);
    if (place === undefined) return false;
    const rows = this.rows;
    const entry = this.directory + ENTRY_BYTES * (2 + this.schema.dims.length + place);
    const hasNulls = this.body[entry + 3] === 1;
    const presence = this.body.readUInt32LE(entry + 4);
    if (!hasNulls) {
      this.readNumbers(entry, presence, rows, out);
      return true;
    }
    const presenceBytes = Math.ceil(rows / 8);
    let count = 0;
    for (let at = presence; at < presence + presenceBytes; at++) count += bitCount(this.body[at]!);
    this.readNumbers(entry, presence + presenceBytes, count, out);
    // From the last row backwards, so that no value is overwritten before it has moved.
    for (let row = rows - 1; row >= 0; row--) {
      out[row] = (this.body[presence + (row >>> 3)]! >>> (row & 7)) & 1 ? out[--count]! : NaN;
    }
    return true;
  }

  readTimestamps(out: Float64Array): void {
    const { body, directory, rows } = this;
    const kind = body[directory]!;
    const width = body[directory + 1]!;
    const offset = body.readUInt32LE(directory + 4);
    const base = body.readDoubleLE(directory + 8);
    if (kind === KIND_FLOAT64) {
      readFloats(body, offset, rows, 8, this.isSplit, out);
      return;
    }
    readIntegers(body, offset, rows, width, this.isSplit, out);
    if (kind === KIND_INTEGER) for (let row = 0; row < rows; row++) out[row]! += base;
    else for (let row = 0, ts = base; row < rows; row++) out[row] = ts += out[row]!;
  }

  events(): TelemetryEvent[] {
    const { rows, schema: columns } = this;
    const timestamps = new Float64Array(rows);
    this.readTimestamps(timestamps);
    const names = this.names();
    const events = Array.from(timestamps, (tsMs, row): TelemetryEvent => ({ tsMs, name: textAt(names, row)!, dims: {}, measures: {} }));
    for (const name of columns.dims) {
      const column = this.dim(name)!;
      for (const [row, event] of events.entries()) {
        const text = textAt(column, row);
        if (text !== null) setOwn(event.dims, name, text);
      }
    }
    const values = new Float64Array(rows);
    for (const name of columns.measures) {
      this.readMeasure(name, values);
      for (const [row, event] of events.entries()) if (!Number.isNaN(values[row])) setOwn(event.measures, name, values[row]!);
    }
    return events;
  }

  private textColumn(place: number): TextColumnView {
    const { body, rows } = this;
    const entry = this.directory + ENTRY_BYTES * place;
    const width = body[entry + 1]!;
    const offset = body.readUInt32LE(entry + 4);
    const textBytes = body.readUInt32LE(entry + 8);
    const textStart = body.readUInt32LE(entry + 12);
    const { texts, codeByText } = textSet(body, textStart, textStart + textBytes);
    return { texts, codeByText, codes: this.codes(entry, width, offset, rows) };
  }

  private codes(entry: number, width: number, offset: number, rows: number): Codes {
    if (width === 0) return this.body.readUInt16LE(entry + 2);
    if (!this.isSplit || width === 1) return integerView(this.body, offset, rows, width);
    const numbers = new Float64Array(rows);
    readIntegers(this.body, offset, rows, width, true, numbers);
    return width === 2 ? Uint16Array.from(numbers) : Uint32Array.from(numbers);
  }

  private readNumbers(entry: number, from: number, count: number, out: Float64Array): void {
    const { body, isSplit } = this;
    const kind = body[entry]!;
    const width = body[entry + 1]!;
    const start = isSplit ? from : alignUp(from, elementSize(kind, width));
    if (kind !== KIND_INTEGER && kind !== KIND_DELTA) {
      readFloats(body, start, count, width, isSplit, out);
      return;
    }
    const base = body.readDoubleLE(entry + 8);
    const power = POWERS_OF_TEN[body[entry + 2]!]!;
    readIntegers(body, start, count, width, isSplit, out);
    if (power === 1) for (let i = 0; i < count; i++) out[i] = out[i]! + base;
    else for (let i = 0; i < count; i++) out[i] = (out[i]! + base) / power;
  }
}

/** The text of one row, null where it is absent. */
export function textAt({ texts, codes }: TextColumnView, row: number): string | null {
  const code = typeof codes === 'number' ? codes : codes[row]!;
  return code === 0 ? null : texts[code - 1]!;
}

function elementSize(kind: number, width: number): number {
  if (kind !== KIND_INTEGER) return width;
  return width >= 4 ? 4 : width >= 2 ? 2 : 1;
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Columns are read in place as typed arrays, which must start on a multiple of their element size. */
function aligned(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  if ((bytes.byteOffset & 7) === 0) return bytes;
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
}

function bitCount(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** `__proto__` is a name like any other. */
function setOwn<T>(record: Record<string, T>, name: string, value: T): void {
  if (name === '__proto__') Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
  else record[name] = value;
}
