import type { Subject } from '@tocsin/domain';
import { ensureRoom, type Samples } from './scratch.ts';
import type { SegmentColumns } from './segment-columns.ts';
import type { Selected } from './selection.ts';

/** Puts the subject's number of each selected event into `out`; an event without one is left out. For a dim the number is its code. */
export function takeSamples(subject: Subject, columns: SegmentColumns, selected: Selected, out: Samples): void {
  const { rows: rowCount } = columns.segment;
  ensureRoom(out, rowCount);
  switch (subject.kind) {
    case 'event':
      takeRows(rowCount, selected, out);
      out.values.fill(1, 0, out.count);
      return;
    case 'measure': {
      const values = valuesOf(subject.measures, subject.orSumOf, columns);
      if (values !== null) takeNumbers(values, rowCount, selected, out);
      return;
    }
    case 'dim':
    case 'share':
      takeCodes(subject, columns, selected, out);
  }
}

function takeRows(rowCount: number, selected: Selected, out: Samples): void {
  if (selected === 'all') {
    for (let row = 0; row < rowCount; row++) out.rows[row] = row;
    out.count = rowCount;
  } else {
    for (let i = 0; i < selected.count; i++) out.rows[i] = selected.rows[i]!;
    out.count = selected.count;
  }
}

/** Zero has one sign among samples: which of two zeros comes out of a selection would depend on their order. */
function takeNumbers(from: Float64Array, rowCount: number, selected: Selected, out: Samples): void {
  const { values, rows } = out;
  let count = 0;
  if (selected === 'all') {
    for (let row = 0; row < rowCount; row++) {
      const value = from[row]!;
      values[count] = value + 0;
      rows[count] = row;
      if (value === value) count++;
    }
  } else {
    const { rows: chosen, count: chosenCount } = selected;
    for (let i = 0; i < chosenCount; i++) {
      const row = chosen[i]!;
      const value = from[row]!;
      values[count] = value + 0;
      rows[count] = row;
      if (value === value) count++;
    }
  }
  out.count = count;
}

type TextSubject = Extract<Subject, { dim: string }>;

/** Segments share sets of texts, and rules are asked again and again. */
const knownWorth = new WeakMap<TextSubject, WeakMap<readonly string[], Float64Array>>();

/** What an event counts with, by its code. */
function worthOf(subject: TextSubject, texts: readonly string[]): Float64Array {
  let known = knownWorth.get(subject);
  if (known === undefined) {
    known = new WeakMap();
    knownWorth.set(subject, known);
  }
  let worth = known.get(texts);
  if (worth === undefined) {
    worth = Float64Array.of(
      0,
      ...texts.map((text, index) => (subject.kind === 'dim' ? index + 1 : subject.values.includes(text) ? 100 : 0)),
    );
    known.set(texts, worth);
  }
  return worth;
}

function takeCodes(subject: TextSubject, columns: SegmentColumns, selected: Selected, out: Samples): void {
  const column = columns.dim(subject.dim);
  if (column === null) return;
  const { texts, codes, from } = column;
  const worth = worthOf(subject, texts);
  takeRows(columns.segment.rows, selected, out);
  const { values, rows } = out;
  if (typeof codes === 'number') {
    values.fill(worth[codes]!, 0, out.count);
    return;
  }
  let count = 0;
  for (let i = 0; i < out.count; i++) {
    const row = rows[i]!;
    const code = codes[from + row]!;
    values[count] = worth[code]!;
    rows[count] = row;
    if (code !== 0) count++;
  }
  out.count = count;
}

function valuesOf(measures: readonly string[], orSumOf: readonly string[], columns: SegmentColumns): Float64Array | null {
  const preferred = measures.map((name) => columns.measure(name)).filter((values) => values !== null);
  const summed = orSumOf.map((name) => columns.measure(name)).filter((values) => values !== null);
  if (preferred.length === 1 && summed.length === 0) return preferred[0]!;
  if (preferred.length + summed.length === 0) return null;
  return Float64Array.from({ length: columns.segment.rows }, (_, row) => {
    const first = preferred.find((values) => !Number.isNaN(values[row]!));
    if (first !== undefined) return first[row]!;
    const present = summed.filter((values) => !Number.isNaN(values[row]!));
    return present.length === 0 ? NaN : present.reduce((sum, values) => sum + values[row]!, 0);
  });
}
