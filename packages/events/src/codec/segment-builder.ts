/** Distinct texts of one column. Code 0 is "absent"; the first text seen is 1. */
export class TextColumn {
  readonly texts: string[] = [];
  codes: Uint32Array;
  private readonly codeByText = new Map<string, number>();
  private lastText: string | null = null;
  private lastCode = 0;

  constructor(capacity: number) {
    this.codes = new Uint32Array(capacity);
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

  constructor(capacity: number) {
    this.capacity = capacity;
    this.timestamps = new Float64Array(capacity);
    this.names = new TextColumn(capacity);
  }

  dim(name: string): DimColumn | undefined {
    return this.dimByName.get(name);
  }

  addDim(name: string): DimColumn {
    const added = { name, column: new TextColumn(this.capacity) };
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

  private grow(): void {
    const from = this.capacity;
    this.capacity *= 4;
    this.timestamps = wider(this.timestamps, this.capacity);
    for (const column of [this.names, ...this.dims.map((dim) => dim.column)]) {
      const codes = new Uint32Array(this.capacity);
      codes.set(column.codes);
      column.codes = codes;
    }
    for (const measure of this.measures) measure.values = wider(measure.values, this.capacity).fill(NaN, from);
  }
}

function wider(values: Float64Array, capacity: number): Float64Array {
  const grown = new Float64Array(capacity);
  grown.set(values);
  return grown;
}
