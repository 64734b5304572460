import { SAVED_METRIC_PREFIX } from '@tocsin/domain';
import type { EventBounds } from '../bounds.ts';
import type { SegmentBuilder } from '../codec/segment-builder.ts';
import type { RejectionCode } from '../event.ts';
import { nameProblem, quoted } from './name-problem.ts';

export interface Refusal {
  code: RejectionCode;
  message: string;
}

/** The event would give the segment more columns than it may have: it belongs into another one. */
export const FULL = Symbol('full');

// Every column costs a cell per event, so a segment of events that share no field must not grow square.
const MAX_COLUMNS = 256;
/** How names begin that nobody may send, and what they are. */
const RESERVED: readonly (readonly [prefix: string, what: string])[] = [
  ['tocsin.', "are Tocsin's own"],
  [SAVED_METRIC_PREFIX, 'are the values of saved metrics'],
];

export interface ReadEvent {
  name: string;
  dims: object | undefined;
  measures: object | undefined;
}

/** Everything of an event that does not depend on the segment it goes to. */
export function readEvent(raw: unknown): ReadEvent | Refusal {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return refuse('not_an_object', 'An event must be an object');
  for (const key in raw) {
    if (key !== 'ts' && key !== 'name' && key !== 'dims' && key !== 'measures') {
      return refuse('unknown_field', `Unknown field ${quoted(key)}; an event has ts, name, dims and measures`);
    }
  }
  const { name, dims, measures } = raw as { name?: unknown; dims?: unknown; measures?: unknown };
  if (typeof name !== 'string') return refuse('bad_name', 'name must be a text');
  if (dims !== undefined && !isRecord(dims)) return refuse('bad_dims', 'dims must be an object');
  if (measures !== undefined && !isRecord(measures)) return refuse('bad_measures', 'measures must be an object');
  return { name, dims, measures };
}

/**
 * Validates an event straight into the columns of its segment. Names and texts are looked at when a column meets them first, so a
 * usual event costs a lookup per field. Null: the event is in.
 */
export function appendEvent(builder: SegmentBuilder, event: ReadEvent, tsMs: number, bounds: EventBounds): Refusal | typeof FULL | null {
  const refusal =
    appendName(builder, event.name, bounds) ?? appendDims(builder, event.dims, bounds) ?? appendMeasures(builder, event.measures, bounds);
  if (refusal === null) builder.commit(tsMs);
  else builder.rollback();
  return refusal;
}

function appendName(builder: SegmentBuilder, name: string, bounds: EventBounds): Refusal | null {
  let code = builder.names.codeOf(name);
  if (code === 0) {
    const problem = nameProblem(name, bounds.nameLength);
    if (problem !== null) return refuse('bad_name', `name ${problem}`);
    const reserved = RESERVED.find(([prefix]) => name.startsWith(prefix));
    if (reserved !== undefined) return refuse('reserved_name', `Names that start with "${reserved[0]}" ${reserved[1]}`);
    code = builder.names.add(name);
  }
  builder.names.codes[builder.rows] = code;
  return null;
}

function appendDims(builder: SegmentBuilder, dims: object | undefined, bounds: EventBounds): Refusal | typeof FULL | null {
  if (dims === undefined) return null;
  const row = builder.rows;
  let place = 0;
  for (const name in dims) {
    if (place === bounds.dimsPerEvent) return refuse('too_many_dims', `An event has at most ${bounds.dimsPerEvent} dims`);
    const expected = builder.dims[place++];
    let dim = expected !== undefined && expected.name === name ? expected : builder.dim(name);
    if (dim === undefined) {
      const problem = nameProblem(name, bounds.nameLength);
      if (problem !== null) return refuse('bad_dim_name', `The name of dim ${quoted(name)} ${problem}`);
      if (builder.dims.length >= MAX_COLUMNS) return FULL;
      dim = builder.addDim(name);
    }
    const value = (dims as Record<string, unknown>)[name];
    const text = typeof value === 'string' ? value : textOf(value);
    if (text === null) return refuse('bad_dim_value', `dim ${quoted(name)} must be a text, a finite number or a boolean`);
    const { column } = dim;
    let code = column.codeOf(text);
    if (code === 0) {
      const problem = textProblem(text, bounds.dimValueLength);
      if (problem !== null) return refuse('bad_dim_value', `dim ${quoted(name)} ${problem}`);
      code = column.add(text);
    }
    column.codes[row] = code;
  }
  return null;
}

function appendMeasures(builder: SegmentBuilder, measures: object | undefined, bounds: EventBounds): Refusal | typeof FULL | null {
  if (measures === undefined) return null;
  const row = builder.rows;
  let place = 0;
  for (const name in measures) {
    if (place === bounds.measuresPerEvent) return refuse('too_many_measures', `An event has at most ${bounds.measuresPerEvent} measures`);
    const expected = builder.measures[place++];
    let measure = expected !== undefined && expected.name === name ? expected : builder.measure(name);
    if (measure === undefined) {
      const problem = nameProblem(name, bounds.nameLength);
      if (problem !== null) return refuse('bad_measure_name', `The name of measure ${quoted(name)} ${problem}`);
      if (builder.measures.length >= MAX_COLUMNS) return FULL;
      measure = builder.addMeasure(name);
    }
    const value = (measures as Record<string, unknown>)[name];
    if (typeof value !== 'number' || value - value !== 0)
      return refuse('bad_measure_value', `measure ${quoted(name)} must be a finite number`);
    measure.values[row] = value;
  }
  return null;
}

function textOf(value: unknown): string | null {
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
}

function textProblem(text: string, maxLength: number): string | null {
  if (text.length > maxLength) return `is longer than ${maxLength} characters`;
  // Series carry their labels into jsonb, which has no NUL and no lone surrogate.
  return text.includes('\0') || !text.isWellFormed() ? 'is not well-formed Unicode without NUL' : null;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function refuse(code: RejectionCode, message: string): Refusal {
  return { code, message };
}
