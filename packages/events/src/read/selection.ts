import { type Filter, type Operator, SAVED_METRIC_PREFIX } from '@tocsin/domain';
import { codeAt, type RowCodes, type TextColumnView } from '../codec/decode.ts';
import type { SegmentColumns } from './segment-columns.ts';

/** Rows that pass: all of them, or the first `count` of `rows`. */
export type Selected = 'all' | { count: number; rows: Uint32Array };

/** Used by one selection of one segment at a time. */
let rowsRoom = new Uint32Array(0);
const NONE = { count: 0, rows: new Uint32Array(0) };

/** A name and filters, compiled: which events of a segment pass all of them. Without a name all pass that somebody sent: no value of a saved metric. */
export class Selection {
  private readonly tests: Test[];

  constructor(name: string | null, filters: readonly Filter[]) {
    this.tests = [name === null ? WAS_SENT : nameTest((text) => text === name), ...filters.map(compileFilter)];
  }

  select(columns: SegmentColumns): Selected {
    let selected: Selected = 'all';
    const { rows: rowCount } = columns.segment;
    for (const test of this.tests) {
      const verdict = test(columns);
      if (verdict === true) continue;
      if (verdict === false) return NONE;
      if (rowsRoom.length < rowCount) rowsRoom = new Uint32Array(rowCount * 2);
      const count: number = selected === 'all' ? keepOfAll(verdict, rowCount, rowsRoom) : keepOf(verdict, selected.count, rowsRoom);
      if (count === 0) return NONE;
      selected = { count, rows: rowsRoom };
    }
    return selected;
  }
}

/** A verdict for the whole segment, or for each row: by the code of a text column, or by the value of a measure. */
type Verdict =
  | boolean
  | { codes: RowCodes; from: number; passes: Uint8Array }
  | { values: Float64Array; passes: (value: number) => boolean };
type Test = (columns: SegmentColumns) => Verdict;

/** Which rows pass is anybody's guess, so there is no branch to guess. */
function keepOfAll(verdict: Exclude<Verdict, boolean>, rowCount: number, rows: Uint32Array): number {
  let count = 0;
  if ('codes' in verdict) {
    const { codes, from, passes } = verdict;
    for (let row = 0; row < rowCount; row++) {
      rows[count] = row;
      count += passes[codes[from + row]!]!;
    }
  } else {
    for (let row = 0; row < rowCount; row++) if (verdict.passes(verdict.values[row]!)) rows[count++] = row;
  }
  return count;
}

function keepOf(verdict: Exclude<Verdict, boolean>, selected: number, rows: Uint32Array): number {
  let count = 0;
  if ('codes' in verdict) {
    const { codes, from, passes } = verdict;
    for (let i = 0; i < selected; i++) {
      const row = rows[i]!;
      rows[count] = row;
      count += passes[codes[from + row]!]!;
    }
  } else {
    for (let i = 0; i < selected; i++) if (verdict.passes(verdict.values[rows[i]!]!)) rows[count++] = rows[i]!;
  }
  return count;
}

function compileFilter(filter: Filter): Test {
  switch (filter.kind) {
    case 'in': {
      const wanted = new Set(filter.values);
      return textTest(
        (columns) => columns.dim(filter.dim),
        (text) => wanted.has(text) !== filter.negate,
        filter.negate,
      );
    }
    case 'prefix':
      return textTest(
        (columns) => columns.dim(filter.dim),
        (text) => text.startsWith(filter.prefix) !== filter.negate,
        filter.negate,
      );
    case 'exists':
      return existsTest(filter.field, filter.negate);
    case 'measure': {
      const passes = comparison(filter.operator, filter.value);
      return (columns) => {
        const values = columns.measure(filter.measure);
        return values === null ? false : { values, passes };
      };
    }
  }
}

/** Texts are judged once for each set of them, which segments share and which may come and go. */
function textTest(
  columnOf: (columns: SegmentColumns) => TextColumnView | null,
  passes: (text: string) => boolean,
  absentPasses: boolean,
): Test {
  const known = new WeakMap<readonly string[], Uint8Array | boolean>();
  return (columns) => {
    const column = columnOf(columns);
    if (column === null) return absentPasses;
    const { texts, codes, from } = column;
    let table = known.get(texts);
    if (table === undefined) {
      table = judged(texts, passes, absentPasses);
      known.set(texts, table);
    }
    if (typeof table === 'boolean') return table;
    return typeof codes === 'number' ? table[codes] === 1 : { codes, from, passes: table };
  };
}

function judged(texts: readonly string[], passes: (text: string) => boolean, absentPasses: boolean): Uint8Array | boolean {
  const table = new Uint8Array(texts.length + 1);
  table[0] = absentPasses ? 1 : 0;
  for (const [index, text] of texts.entries()) table[index + 1] = passes(text) ? 1 : 0;
  if (!table.includes(0)) return true;
  return table.includes(1) ? table : false;
}

const nameTest = (passes: (name: string) => boolean): Test => textTest((columns) => columns.name(), passes, false);

/** One for all selections, so that the names of a segment are judged once. */
const WAS_SENT = nameTest((name) => !name.startsWith(SAVED_METRIC_PREFIX));

function existsTest(field: string, negate: boolean): Test {
  return (columns) => {
    const dim = columns.dim(field);
    const values = columns.measure(field);
    if (dim === null && values === null) return negate;
    if (values === null) return dimPresence(dim!, negate);
    if (dim === null) return { values, passes: (value) => (value === value) !== negate };
    if (typeof dim.codes === 'number') return !negate;
    const has = Float64Array.from({ length: columns.segment.rows }, (_, row) =>
      codeAt(dim, row) !== 0 || values[row] === values[row] ? 1 : 0,
    );
    return { values: has, passes: (value) => (value === 1) !== negate };
  };
}

function dimPresence({ texts, codes, from }: TextColumnView, negate: boolean): Verdict {
  if (typeof codes === 'number') return !negate;
  const passes = new Uint8Array(texts.length + 1).fill(negate ? 0 : 1);
  passes[0] = negate ? 1 : 0;
  return { codes, from, passes };
}

/** NaN stands for an event without the measure, and passes nothing. */
function comparison(operator: Operator, threshold: number): (value: number) => boolean {
  switch (operator) {
    case '>':
      return (value) => value > threshold;
    case '>=':
      return (value) => value >= threshold;
    case '<':
      return (value) => value < threshold;
    case '<=':
      return (value) => value <= threshold;
    case '==':
      return (value) => value === threshold;
    case '!=':
      return (value) => value === value && value !== threshold;
  }
}
