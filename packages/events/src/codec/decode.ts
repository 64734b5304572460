import { zstdDecompressSync } from 'node:zlib';
import type { TelemetryEvent } from '../event.ts';
import { schema, textSet, type Schema, type TextSet } from './interned.ts';
import {
  ENTRY_BYTES,
  FLAG_SPLIT,
  FLAG_ZSTD,
  HEADER_BYTES,
  KIND_DELTA,
  KIND_FLOAT64,
  KIND_INTEGER,
  MAGIC,
  POWERS_OF_TEN,
} from './layout.ts';
import { ByteViews, VIEWS_BYTES } from './byte-views.ts';
import { readFloats, readIntegers } from './read-planes.ts';

/** A segment's own object, and its place in what keeps it. */
const OBJECT_BYTES = 300;

export type RowCodes = Uint8Array | Uint16Array | Uint32Array;

/** A text column. `codes` is one code for all rows, or holds one for each, that of the first row at `from`. 0 is "absent". */
export interface TextColumnView extends TextSet {
  codes: number | RowCodes;
  from: number;
}

/** A segment opened for reading. Columns are read out of its bytes when asked for; texts are shared between segments. */
export class Segment {
  readonly rows: number;
  readonly minTs: number;
  readonly maxTs: number;
  /** What keeping it costs, in bytes. */
  readonly byteLength: number;
  readonly schema: Schema;
  private readonly views: ByteViews;
  /** Where the body starts in `views`; everything inside it is told from there. */
  private readonly start: number;
  private readonly directory: number;
  private readonly isSplit: boolean;

  /**
   * Reads in place: `offset` must be a multiple of 8 and the bytes must not change afterwards. Throws when they are no segment.
   * @param viewsBytes what of the views themselves this segment is charged with
   */
  constructor(views: ByteViews, offset: number, length: number, viewsBytes = 0) {
    const { bytes } = views;
    if (length < HEADER_BYTES || bytes.readUInt32LE(offset) !== MAGIC) throw new Error('Not a segment of version 1');
    const flags = bytes.readUInt16LE(offset + 4);
    this.isSplit = (flags & FLAG_SPLIT) !== 0;
    this.rows = bytes.readUInt32LE(offset + 12);
    this.minTs = bytes.readDoubleLE(offset + 16);
    this.maxTs = bytes.readDoubleLE(offset + 24);
    const bodyBytes = bytes.readUInt32LE(offset + 32);
    const schemaBytes = bytes.readUInt32LE(offset + 36);
    const isCompressed = (flags & FLAG_ZSTD) !== 0;
    this.views = isCompressed ? decompressed(bytes.subarray(offset + HEADER_BYTES, offset + length), bodyBytes) : views;
    this.start = isCompressed ? 0 : offset + HEADER_BYTES;
    if (!isCompressed && length - HEADER_BYTES !== bodyBytes) throw new Error('A segment is cut short');
    this.byteLength = bodyBytes + OBJECT_BYTES + (isCompressed ? VIEWS_BYTES : viewsBytes);
    this.schema = schema(this.views.bytes, this.start, this.start + schemaBytes, bytes.readUInt16LE(offset + 6));
    this.directory = this.start + schemaBytes;
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
    const { rows, views } = this;
    const { bytes } = views;
    const entry = this.directory + ENTRY_BYTES * (2 + this.schema.dims.length + place);
    const hasNulls = bytes[entry + 3] === 1;
    const presence = this.start + bytes.readUInt32LE(entry + 4);
    if (!hasNulls) {
      this.readNumbers(entry, presence, rows, out);
      return true;
    }
    const presenceBytes = Math.ceil(rows / 8);
    let count = 0;
    for (let at = presence; at < presence + presenceBytes; at++) count += bitCount(bytes[at]!);
    this.readNumbers(entry, presence + presenceBytes, count, out);
    // From the last row backwards, so that no value is overwritten before it has moved.
    for (let row = rows - 1; row >= 0; row--) {
      out[row] = (bytes[presence + (row >>> 3)]! >>> (row & 7)) & 1 ? out[--count]! : NaN;
    }
    return true;
  }

  readTimestamps(out: Float64Array): void {
    const { views, directory, rows } = this;
    const { bytes } = views;
    const kind = bytes[directory]!;
    const offset = this.start + bytes.readUInt32LE(directory + 4);
    const base = bytes.readDoubleLE(directory + 8);
    if (kind === KIND_FLOAT64) {
      readFloats(views, offset, rows, 8, this.isSplit, out);
      return;
    }
    readIntegers(views, offset, rows, bytes[directory + 1]!, this.isSplit, out);
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
    const { views, start } = this;
    const { bytes } = views;
    const entry = this.directory + ENTRY_BYTES * place;
    const width = bytes[entry + 1]!;
    const offset = start + bytes.readUInt32LE(entry + 4);
    const textStart = start + bytes.readUInt32LE(entry + 12);
    const { texts, codeByText } = textSet(bytes, textStart, textStart + bytes.readUInt32LE(entry + 8));
    if (width === 0) return { texts, codeByText, codes: bytes.readUInt16LE(entry + 2), from: 0 };
    if (width === 1) return { texts, codeByText, codes: bytes, from: offset };
    if (this.isSplit) return { texts, codeByText, codes: this.joinedCodes(offset, width), from: 0 };
    return width === 2
      ? { texts, codeByText, codes: views.uint16, from: offset / 2 }
      : { texts, codeByText, codes: views.uint32, from: offset / 4 };
  }

  private joinedCodes(offset: number, width: number): RowCodes {
    const numbers = new Float64Array(this.rows);
    readIntegers(this.views, offset, this.rows, width, true, numbers);
    return width === 2 ? Uint16Array.from(numbers) : Uint32Array.from(numbers);
  }

  private readNumbers(entry: number, from: number, count: number, out: Float64Array): void {
    const { views, isSplit } = this;
    const { bytes } = views;
    const kind = bytes[entry]!;
    const width = bytes[entry + 1]!;
    const start = isSplit ? from : alignUp(from, elementSize(kind, width));
    if (kind !== KIND_INTEGER && kind !== KIND_DELTA) {
      readFloats(views, start, count, width, isSplit, out);
      return;
    }
    const base = bytes.readDoubleLE(entry + 8);
    const power = POWERS_OF_TEN[bytes[entry + 2]!]!;
    readIntegers(views, start, count, width, isSplit, out);
    if (power !== 1) for (let i = 0; i < count; i++) out[i] = (out[i]! + base) / power;
    else if (base !== 0) for (let i = 0; i < count; i++) out[i] = out[i]! + base;
  }
}

/** The text of one row, null where it is absent. */
export function textAt(column: TextColumnView, row: number): string | null {
  const code = codeAt(column, row);
  return code === 0 ? null : column.texts[code - 1]!;
}

export function codeAt({ codes, from }: TextColumnView, row: number): number {
  return typeof codes === 'number' ? codes : codes[from + row]!;
}

function elementSize(kind: number, width: number): number {
  if (kind !== KIND_INTEGER) return width;
  return width >= 4 ? 4 : width >= 2 ? 2 : 1;
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function decompressed(stored: Buffer, bodyBytes: number): ByteViews {
  const body = zstdDecompressSync(stored, { maxOutputLength: Math.max(1, bodyBytes) });
  if (body.length !== bodyBytes) throw new Error('A segment is cut short');
  const views = new ByteViews(bodyBytes);
  body.copy(views.bytes);
  return views;
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
