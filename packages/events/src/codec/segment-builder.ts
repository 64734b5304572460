import type { Segment, TextColumnView } from './decode.ts';

/** Counts what growing segments hold, roughly, in bytes. */
export interface Meter {
  bytes: number;
}

/** A Map entry, a string header and the array slots. */
const TEXT_OVERHEAD_BYTES = 100;
const COLUMN_OVERHEAD_BYTES = 400;

/** Distinct texts of one column. Code 0 is "absent"; the first text seen is 1. */
export class TextColumn {
  readonly texts: string[] = [];
  codes: Uint32Array;
  private readonly meter: Meter;
  private readonly codeByText = new Map<string, number>();
  private lastText: string | null = null;
  private lastCode = 0;

  constructor(capacity: number, meter: Meter) {
    this.codes = new Uint32Array(capacity);
    this.meter = meter;
    meter.bytes += COLUMN_OVERHEAD_BYTES + this.codes.byteLength;
  }

  /** The text's code, or 0 when it has none yet. */
  codeOf(text: string): number {
    if (text === this.lastText) return this.lastCode;
    const code = this.codeByText.get(text);
    if (code === undefined) return 0;
    this.lastText = text;
    this.lastCode = code;
    return code;
  }

  add(text: string): number {
    this.texts.push(text);
    this.codeByText.set(text, this.texts.length);
    this.meter.bytes += TEXT_OVERHEAD_BYTES + 2 * text.length;
    return this.texts.length;
  }
}

export interface DimColumn {
  name: string;
  column: TextColumn;
}

/** NaN is "absent". */
export interface MeasureColumn {
  name: string;
  values: Float64Array;
}

/** Events of one segment, as columns, while it is still growing. A row counts once `commit` is called; until then `rollback` undoes it. */
export class SegmentBuilder {
  rows = 0;
  capacity: number;
  timestamps: Float64Array;
  readonly names: TextColumn;
  readonly dims: DimColumn[] = [];
  readonly measures: MeasureColumn[] = [];
  private readonly dimByName = new Map<string, DimColumn>();
  private readonly measureByName = new Map<string, MeasureColumn>();
  private readonly meter: Meter;

  constructor(capacity: number, meter: Meter = { bytes: 0 }) {
    this.capacity = capacity;
    this.meter = meter;
    this.timestamps = new Float64Array(capacity);
    this.names = new TextColumn(capacity, meter);
    meter.bytes += this.timestamps.byteLength;
  }

  dim(name: string): DimColumn | undefined {
    return this.dimByName.get(name);
  }

  addDim(name: string): DimColumn {
    const added = { name, column: new TextColumn(this.capacity, this.meter) };
    this.dims.push(added);
    this.dimByName.set(name, added);
    return added;
  }

  measure(name: string): MeasureColumn | undefined {
    return this.measureByName.get(name);
  }

  addMeasure(name: string): MeasureColumn {
    const added = { name, values: new Float64Array(this.capacity).fill(NaN) };
    this.measures.push(added);
    this.measureByName.set(name, added);
    this.meter.bytes += COLUMN_OVERHEAD_BYTES + added.values.byteLength;
    return added;
  }

  commit(tsMs: number): void {
    this.timestamps[this.rows++] = tsMs;
    if (this.rows === this.capacity) this.grow();
  }

  rollback(): void {
    this.names.codes[this.rows] = 0;
    for (const { column } of this.dims) column.codes[this.rows] = 0;
    for (const { values } of this.measures) values[this.rows] = NaN;
  }

  /** Appends an event known to be well-formed. */
  append(tsMs: number, name: string, dims: Readonly<Record<string, string>>, measures: Readonly<Record<string, number>>): void {
    const row = this.rows;
    this.names.codes[row] = this.names.codeOf(name) || this.names.add(name);
    for (const [key, text] of Object.entries(dims)) {
      const { column } = this.dim(key) ?? this.addDim(key);
      column.codes[row] = column.codeOf(text) || column.add(text);
    }
    for (const [key, value] of Object.entries(measures)) (this.measure(key) ?? this.addMeasure(key)).values[row] = value;
    this.commit(tsMs);
  }

  /** Appends all events of a segment, column by column. */
  appendSegment(segment: Segment): void {
    const from = this.rows;
    const to = from + segment.rows;
    while (this.capacity <= to) this.grow();
    segment.readTimestamps(this.timestamps.subarray(from, to));
    copyCodes(segment.names(), this.names, from, segment.rows);
    for (const name of segment.schema.dims) copyCodes(segment.dim(name)!, (this.dim(name) ?? this.addDim(name)).column, from, segment.rows);
    for (const name of segment.schema.measures)
      segment.readMeasure(name, (this.measure(name) ?? this.addMeasure(name)).values.subarray(from, to));
    this.rows = to;
  }

  /** Oldest first: sorted times are stored as small differences. Events of one time keep their order. */
  sortByTime(): void {
    const { rows, timestamps } = this;
    let isSorted = true;
    for (let row = 1; row < rows && isSorted; row++) isSorted = timestamps[row - 1]! <= timestamps[row]!;
    if (isSorted) return;
    const order = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => timestamps[a]! - timestamps[b]! || a - b);
    this.timestamps = reordered(timestamps, order, new Float64Array(this.capacity));
    for (const column of [this.names, ...this.dims.map((dim) => dim.column)])
      column.codes = reordered(column.codes, order, new Uint32Array(this.capacity));
    for (const measure of this.measures) measure.values = reordered(measure.values, order, new Float64Array(this.capacity).fill(NaN, rows));
  }

  private grow(): void {
    const from = this.capacity;
    this.capacity *= 4;
    this.meter.bytes += (this.capacity - from) * (12 + 4 * this.dims.length + 8 * this.measures.length);
    this.timestamps = wider(this.timestamps, this.capacity);
    for (const column of [this.names, ...this.dims.map((dim) => dim.column)]) {
      const codes = new Uint32Array(this.capacity);
      codes.set(column.codes);
      column.codes = codes;
    }
    for (const measure of this.measures) measure.values = wider(measure.values, this.capacity).fill(NaN, from);
  }
}

function copyCodes({ texts, codes, from: first }: TextColumnView, to: TextColumn, from: number, rows: number): void {
  const newCodes = Uint32Array.from(['', ...texts], (text, code) => (code === 0 ? 0 : to.codeOf(text) || to.add(text)));
  if (typeof codes === 'number') to.codes.fill(newCodes[codes]!, from, from + rows);
  else for (let row = 0; row < rows; row++) to.codes[from + row] = newCodes[codes[first + row]!]!;
}

function reordered<T extends Float64Array | Uint32Array>(from: T, order: Uint32Array, to: T): T {
  for (let row = 0; row < order.length; row++) to[row] = from[order[row]!]!;
  return to;
}

function wider(values: Float64Array, capacity: number): Float64Array {
  const grown = new Float64Array(capacity);
  grown.set(values);
  return grown;
}
