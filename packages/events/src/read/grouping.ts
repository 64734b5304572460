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
    const counts = new Map<number, number>();
    for (let i = 0; i < from.count; i++) counts.set(places[i]!, (counts.get(places[i]!) ?? 0) + 1);

    ensureRoom(this.sorted, from.count);
    const next = new Map<number, number>();
    const groups: Group[] = [];
    let start = 0;
    for (const [series, count] of counts) {
      next.set(series, start);
      groups.push({ series, from: start, to: start + count });
      start += count;
    }
    const { values, rows } = this.sorted;
    for (let i = 0; i < from.count; i++) {
      const at = next.get(places[i]!)!;
      next.set(places[i]!, at + 1);
      values[at] = from.values[i]!;
      rows[at] = from.rows[i]!;
    }
    this.sorted.count = from.count;
    return groups;
  }

  /** The series of each sample. */
  private placesOf(views: readonly (TextColumnView | null)[], { count, rows }: Samples): Uint32Array {
    const sizes = views.map((view) => (view === null ? 1 : view.texts.length + 1));
    const combinations = sizes.reduce((product, size) => product * size, 1);
    const table = combinations <= MAX_TABLE ? new Int32Array(combinations).fill(-1) : new Map<number, number>();
    const places = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      let combined = 0;
      for (let place = 0; place < views.length; place++) combined = combined * sizes[place]! + codeOf(views[place]!, rows[i]!);
      let series = table instanceof Map ? (table.get(combined) ?? -1) : table[combined]!;
      if (series === -1) {
        series = this.numberOf(views.map((view) => textOf(view, rows[i]!)));
        if (table instanceof Map) table.set(combined, series);
        else table[combined] = series;
      }
      places[i] = series;
    }
    return places;
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

function codeOf(view: TextColumnView | null, row: number): number {
  return view === null ? 0 : codeAt(view, row);
}

function textOf(view: TextColumnView | null, row: number): string {
  const code = codeOf(view, row);
  return code === 0 ? '' : view!.texts[code - 1]!;
}
