import type { Labels } from '@tocsin/domain';
import { codeAt, type TextColumnView } from '../codec/decode.ts';
import { ensureRoom, samples, type Samples } from './scratch.ts';
import type { SegmentColumns } from './segment-columns.ts';

/** A run of samples of one series. */
export interface Group {
  series: number;
  from: number;
  to: number;
}

const MAX_TABLE = 2 ** 16;

/** Sorts a segment's samples into series by the values of dimensions; numbers the series as they appear. */
export class Grouping {
  readonly dims: readonly string[];
  /** The values of each series, in the order of `dims`. */
  readonly series: (readonly string[])[] = [];
  /** The samples of the last `split`, series by series. */
  readonly sorted: Samples = samples();
  private next = new Uint32Array(0);
  private places = new Uint32Array(0);
  /** Of a single dimension, in front of `seriesByValues`: writing JSON costs more than finding. */
  private readonly seriesByText = new Map<string, number>();
  private readonly seriesByValues = new Map<string, number>();

  constructor(dims: readonly string[]) {
    this.dims = dims;
  }

  labelsOf(values: readonly string[]): Labels {
    return Object.fromEntries(this.dims.map((dim, place) => [dim, values[place]!]));
  }

  /** The number of the series of these values, written as JSON; undefined: no event has them. */
  find(values: string): number | undefined {
    return this.seriesByValues.get(values);
  }

  /** An event without the dimension has the value '' there. */
  split(columns: SegmentColumns, from: Samples): Group[] {
    const views = this.dims.map((dim) => columns.dim(dim));
    const places = this.placesOf(views, from);
    const next = this.placeOfNext(this.series.length);
    const groups: Group[] = [];
    for (let i = 0; i < from.count; i++) {
      const series = places[i]!;
      if (next[series] === 0) groups.push({ series, from: 0, to: 0 });
      next[series]! += 1;
    }
    ensureRoom(this.sorted, from.count);
    let start = 0;
    for (const group of groups) {
      group.from = start;
      group.to = start + next[group.series]!;
      next[group.series] = start;
      start = group.to;
    }
    const { values, rows } = this.sorted;
    for (let i = 0; i < from.count; i++) {
      const at = next[places[i]!]!++;
      values[at] = from.values[i]!;
      rows[at] = from.rows[i]!;
    }
    for (const { series } of groups) next[series] = 0;
    this.sorted.count = from.count;
    return groups;
  }

  /** By series: zero, and to be left so. */
  private placeOfNext(series: number): Uint32Array {
    if (this.next.length < series) this.next = new Uint32Array(series * 2);
    return this.next;
  }

  /** The series of each sample, until the next call. */
  private placesOf(views: readonly (TextColumnView | null)[], { count, rows }: Samples): Uint32Array {
    const sizes = views.map((view) => (view === null ? 1 : view.texts.length + 1));
    const combinations = sizes.reduce((product, size) => product * size, 1);
    if (this.places.length < count) this.places = new Uint32Array(count * 2);
    const { places } = this;
    if (combinations > MAX_TABLE) return this.placesOfMany(views, sizes, count, rows);
    places.fill(0, 0, count);
    for (const [place, view] of views.entries()) if (view !== null) combine(places, count, sizes[place]!, view, rows);
    const table = new Int32Array(combinations).fill(-1);
    for (let i = 0; i < count; i++) {
      const combination = places[i]!;
      let series = table[combination]!;
      if (series === -1) {
        series = this.seriesAt(views, rows[i]!);
        table[combination] = series;
      }
      places[i] = series;
    }
    return places;
  }

  private placesOfMany(views: readonly (TextColumnView | null)[], sizes: readonly number[], count: number, rows: Uint32Array): Uint32Array {
    const { places } = this;
    const combined = new Float64Array(count);
    for (const [place, view] of views.entries()) if (view !== null) combine(combined, count, sizes[place]!, view, rows);
    const table = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      let series = table.get(combined[i]!);
      if (series === undefined) {
        series = this.seriesAt(views, rows[i]!);
        table.set(combined[i]!, series);
      }
      places[i] = series;
    }
    return places;
  }

  private seriesAt(views: readonly (TextColumnView | null)[], row: number): number {
    if (views.length !== 1) return this.numberOf(views.map((view) => textOf(view, row)));
    const text = textOf(views[0]!, row);
    let series = this.seriesByText.get(text);
    if (series === undefined) {
      series = this.numberOf([text]);
      this.seriesByText.set(text, series);
    }
    return series;
  }

  /** The number of the series of these values, which is new where no event had them. `key`: the values as JSON. */
  numberOf(values: readonly string[], key: string = JSON.stringify(values)): number {
    const known = this.seriesByValues.get(key);
    if (known !== undefined) return known;
    this.series.push(values);
    this.seriesByValues.set(key, this.series.length - 1);
    return this.series.length - 1;
  }
}

/** Adds a digit for the codes of one more column. */
function combine(combined: Uint32Array | Float64Array, count: number, size: number, view: TextColumnView, rows: Uint32Array): void {
  const { codes, from } = view;
  if (typeof codes === 'number') for (let i = 0; i < count; i++) combined[i] = combined[i]! * size + codes;
  else for (let i = 0; i < count; i++) combined[i] = combined[i]! * size + codes[from + rows[i]!]!;
}

function textOf(view: TextColumnView | null, row: number): string {
  const code = view === null ? 0 : codeAt(view, row);
  return code === 0 ? '' : view!.texts[code - 1]!;
}
