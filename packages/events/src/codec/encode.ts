import { zstdCompressSync, constants } from 'node:zlib';
import type { ByteSink } from './byte-sink.ts';
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
  widthOf,
} from './layout.ts';
import { narrowestEncoding } from './number-encoding.ts';
import { writeFloats, writeIntegers } from './planes.ts';
import type { DimColumn, MeasureColumn, SegmentBuilder, TextColumn } from './segment-builder.ts';

let scratch = new Float64Array(8192);

// Opening a compressed segment costs about 30 µs before its first byte; below this the bytes saved are not worth it.
const MIN_COMPRESSED_EVENTS = 1_000;

/**
 * Writes the builder's events as one segment at the sink's next 8-byte boundary and returns where it starts; it ends at `sink.length`.
 * `compact` spends time to save space where there are enough events: every byte of a number in a plane of its own, zstd over all of it.
 */
export function encodeInto(sink: ByteSink, builder: SegmentBuilder, { compact: mayCompress }: { compact: boolean }): number {
  const rows = builder.rows;
  const compact = mayCompress && rows >= MIN_COMPRESSED_EVENTS;
  if (scratch.length < rows) scratch = new Float64Array(rows * 2);
  const dims = builder.dims.filter(({ column }) => isUsed(column, rows)).sort(byName);
  const measures = builder.measures.filter(({ values }) => hasNumber(values, rows)).sort(byName);

  const start = sink.take(HEADER_BYTES, 8);
  const body = start + HEADER_BYTES;
  for (const { name } of dims) sink.writeText(name);
  for (const { name } of measures) sink.writeText(name);
  const schemaBytes = sink.length - body;
  const directory = sink.take(ENTRY_BYTES * (2 + dims.length + measures.length), 1);

  let entry = directory;
  const [minTs, maxTs] = writeTimestamps(sink, body, entry, builder.timestamps, rows, compact);
  writeTexts(sink, body, (entry += ENTRY_BYTES), builder.names, rows, compact);
  for (const { column } of dims) writeTexts(sink, body, (entry += ENTRY_BYTES), column, rows, compact);
  for (const { values } of measures) writeMeasure(sink, body, (entry += ENTRY_BYTES), values, rows, compact);

  const bodyBytes = sink.length - body;
  const view = sink.view;
  view.setUint32(start, MAGIC, true);
  view.setUint16(start + 4, compact ? FLAG_ZSTD | FLAG_SPLIT : 0, true);
  view.setUint16(start + 6, dims.length, true);
  view.setUint16(start + 8, measures.length, true);
  view.setUint16(start + 10, 0, true);
  view.setUint32(start + 12, rows, true);
  view.setFloat64(start + 16, minTs, true);
  view.setFloat64(start + 24, maxTs, true);
  view.setUint32(start + 32, bodyBytes, true);
  view.setUint32(start + 36, schemaBytes, true);
  if (compact) compressBody(sink, body, bodyBytes);
  return start;
}

function compressBody(sink: ByteSink, body: number, bodyBytes: number): void {
  const compressed = zstdCompressSync(sink.bytes.subarray(body, body + bodyBytes), { params: { [constants.ZSTD_c_compressionLevel]: 6 } });
  sink.length = body;
  const at = sink.take(compressed.length, 1);
  sink.bytes.set(compressed, at);
}

function writeTimestamps(
  sink: ByteSink,
  body: number,
  entry: number,
  timestamps: Float64Array,
  rows: number,
  split: boolean,
): [number, number] {
  let min = Infinity;
  let max = -Infinity;
  let widest = 0;
  let last = timestamps[0] ?? 0;
  let isSorted = true;
  for (let row = 0; row < rows; row++) {
    const ts = timestamps[row]!;
    if (ts < min) min = ts;
    if (ts > max) max = ts;
    const delta = ts - last;
    if (delta < 0) isSorted = false;
    if (delta > widest) widest = delta;
    last = ts;
  }
  const width = widthOf(isSorted ? widest : max - min);
  if (width === 8) {
    const offset = writeFloats(sink, timestamps, rows, 8, split) - body;
    writeEntry(sink, entry, KIND_FLOAT64, 8, 0, 0, offset, 0);
  } else if (isSorted) {
    let previous = min;
    for (let row = 0; row < rows; row++) {
      scratch[row] = timestamps[row]! - previous;
      previous = timestamps[row]!;
    }
    writeEntry(sink, entry, KIND_DELTA, width, 0, 0, writeIntegers(sink, scratch, rows, width, split) - body, min);
  } else {
    for (let row = 0; row < rows; row++) scratch[row] = timestamps[row]! - min;
    writeEntry(sink, entry, KIND_INTEGER, width, 0, 0, writeIntegers(sink, scratch, rows, width, split) - body, min);
  }
  return rows === 0 ? [0, 0] : [min, max];
}

/** Texts lie sorted, so that equal sets of texts are equal bytes and a reader can keep one copy for all segments. */
function writeTexts(sink: ByteSink, body: number, entry: number, { texts, codes }: TextColumn, rows: number, split: boolean): void {
  const newCodes = new Uint32Array(texts.length + 1);
  for (let row = 0; row < rows; row++) newCodes[codes[row]!] = 1;
  const hasAbsent = newCodes[0] === 1;
  const order = texts
    .map((_, index) => index)
    .filter((index) => newCodes[index + 1] === 1)
    .sort((a, b) => (texts[a]! < texts[b]! ? -1 : 1));
  newCodes[0] = 0;
  for (let place = 0; place < order.length; place++) newCodes[order[place]! + 1] = place + 1;

  const start = sink.length;
  for (const index of order) sink.writeText(texts[index]!);
  const textBytes = sink.length - start;

  const isConstant = order.length === 1 && !hasAbsent;
  const width = isConstant ? 0 : wholeWidth(order.length);
  if (!isConstant) for (let row = 0; row < rows; row++) scratch[row] = newCodes[codes[row]!]!;
  const offset = writeIntegers(sink, scratch, rows, width, split) - body;
  const view = sink.view;
  view.setUint8(entry, KIND_INTEGER);
  view.setUint8(entry + 1, width);
  view.setUint16(entry + 2, isConstant ? 1 : 0, true);
  view.setUint32(entry + 4, offset, true);
  view.setUint32(entry + 8, textBytes, true);
  view.setUint32(entry + 12, start - body, true);
}

function writeMeasure(sink: ByteSink, body: number, entry: number, values: Float64Array, rows: number, split: boolean): void {
  const { kind, width, scale, base, present } = narrowestEncoding(values, rows);
  const hasNulls = present < rows;
  const offset = hasNulls ? writePresence(sink, values, rows) : sink.length;
  const power = POWERS_OF_TEN[scale]!;
  const isInteger = kind === KIND_INTEGER;
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const value = values[row]!;
    if (value === value) scratch[count++] = isInteger ? Math.round(value * power) - base : value;
  }
  const planes = isInteger ? writeIntegers(sink, scratch, count, width, split) : writeFloats(sink, scratch, count, width, split);
  writeEntry(sink, entry, kind, width, scale, hasNulls ? 1 : 0, (hasNulls ? offset : planes) - body, base);
}

function writePresence(sink: ByteSink, values: Float64Array, rows: number): number {
  const start = sink.take(Math.ceil(rows / 8), 1);
  const bytes = sink.bytes;
  bytes.fill(0, start, sink.length);
  for (let row = 0; row < rows; row++) if (values[row] === values[row]) bytes[start + (row >>> 3)]! |= 1 << (row & 7);
  return start;
}

function writeEntry(
  sink: ByteSink,
  entry: number,
  kind: number,
  width: number,
  scale: number,
  flags: number,
  offset: number,
  base: number,
): void {
  const view = sink.view;
  view.setUint8(entry, kind);
  view.setUint8(entry + 1, width);
  view.setUint8(entry + 2, scale);
  view.setUint8(entry + 3, flags);
  view.setUint32(entry + 4, offset, true);
  view.setFloat64(entry + 8, base, true);
}

/** Codes are read in place, so only whole element sizes. */
function wholeWidth(max: number): number {
  const width = widthOf(max);
  return width === 3 ? 4 : width;
}

function isUsed({ codes }: TextColumn, rows: number): boolean {
  for (let row = 0; row < rows; row++) if (codes[row] !== 0) return true;
  return false;
}

function hasNumber(values: Float64Array, rows: number): boolean {
  for (let row = 0; row < rows; row++) if (values[row] === values[row]) return true;
  return false;
}

function byName(a: DimColumn | MeasureColumn, b: DimColumn | MeasureColumn): number {
  return a.name < b.name ? -1 : 1;
}
