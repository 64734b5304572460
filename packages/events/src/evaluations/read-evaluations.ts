import type { EpochMs, Operator, Origin } from '@tocsin/domain';
import { codeAt, type Segment, textAt } from '../codec/decode.ts';
import type { EvaluationPage, EvaluationRow } from '../evaluation-row.ts';
import { lookBack } from '../read/look-back.ts';
import { readEachSegment, type SegmentReader } from '../read/read-segments.ts';

export interface EvaluationFilter {
  fromMs: EpochMs;
  toMs: EpochMs;
  limit: number;
  cursor?: string | undefined;
}

type Position = Pick<EvaluationRow, 'slotMs' | 'seriesKey'>;

const NEVER = new AbortController().signal;

/** Newest slot first, series in key order within a slot. An unreadable cursor starts at the beginning. */
export async function readEvaluations(
  reader: SegmentReader,
  tenantId: string,
  ruleId: string,
  filter: EvaluationFilter,
): Promise<EvaluationPage> {
  const { fromMs, limit } = filter;
  const after = filter.cursor === undefined ? null : parseCursor(filter.cursor);
  const toMs = after === null ? filter.toMs : Math.min(filter.toMs, after.slotMs + 1);
  const found: EvaluationRow[] = [];
  for (const step of lookBack(fromMs, toMs)) {
    const inStep: EvaluationRow[] = [];
    await readEachSegment(reader, 'evaluations', [{ tenantId, ...step }], NEVER, (_, segment) => {
      for (const row of rowsOfRule(segment, ruleId)) {
        if (row.slotMs >= step.fromMs && row.slotMs < step.toMs && (after === null || inOrder(after, row) < 0)) inStep.push(row);
      }
    });
    found.push(...inStep.sort(inOrder));
    if (found.length > limit) break;
  }
  const rows = found.slice(0, limit);
  return { rows, nextCursor: found.length > limit ? cursorOf(rows.at(-1)!) : null };
}

function inOrder(a: Position, b: Position): number {
  return b.slotMs - a.slotMs || (a.seriesKey < b.seriesKey ? -1 : a.seriesKey > b.seriesKey ? 1 : 0);
}

function cursorOf({ slotMs, seriesKey }: Position): string {
  return Buffer.from(JSON.stringify([slotMs, seriesKey])).toString('base64url');
}

export const isEvaluationCursor = (cursor: string): boolean => parseCursor(cursor) !== null;

function parseCursor(cursor: string): Position | null {
  try {
    const [slotMs, seriesKey] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    return typeof slotMs === 'number' && typeof seriesKey === 'string' ? { slotMs, seriesKey } : null;
  } catch {
    return null;
  }
}

function rowsOfRule(segment: Segment, ruleId: string): EvaluationRow[] {
  const rule = segment.dim('rule');
  const code = rule?.codeByText.get(ruleId);
  if (rule === null || code === undefined) return [];
  const times = new Float64Array(segment.rows);
  segment.readTimestamps(times);
  const dim = (name: string): ((row: number) => string | null) => {
    const column = segment.dim(name);
    return (row) => (column === null ? null : textAt(column, row));
  };
  const measure = (name: string): ((row: number) => number | null) => {
    const values = new Float64Array(segment.rows).fill(NaN);
    segment.readMeasure(name, values);
    return (row) => (Number.isNaN(values[row]!) ? null : values[row]!);
  };
  const [run, series, operator, outcome, reason, severity, origin] = DIMS.map(dim) as TextGetters;
  const [value, threshold, evaluatedAt, triggered, samples, windowFrom, windowTo, duration, version, comparison] = MEASURES.map(
    measure,
  ) as NumberGetters;
  const rows: EvaluationRow[] = [];
  for (let row = 0; row < segment.rows; row++) {
    if (codeAt(rule, row) !== code) continue;
    const seriesKey = series(row)!;
    rows.push({
      ruleId,
      runId: run(row)!,
      slotMs: times[row]!,
      evaluatedAtMs: evaluatedAt(row)!,
      seriesKey,
      labels: JSON.parse(seriesKey) as Record<string, string>,
      value: value(row),
      threshold: threshold(row),
      operator: operator(row) as Operator | null,
      triggered: triggered(row) === 1,
      samples: samples(row)!,
      comparison: comparison(row) ?? 0,
      origin: originOf(origin(row)),
      windowFromMs: windowFrom(row)!,
      windowToMs: windowTo(row)!,
      durationMs: duration(row)!,
      outcome: outcome(row)!,
      reason: reason(row),
      severity: severity(row),
      version: version(row)!,
    });
  }
  return rows;
}

const originOf = (text: string | null): Origin | null => (text === null ? null : (JSON.parse(text) as Origin));

const DIMS = ['run', 'series', 'operator', 'outcome', 'reason', 'severity', 'origin'];
const MEASURES = [
  'value',
  'threshold',
  'evaluated_at',
  'triggered',
  'samples',
  'window_from',
  'window_to',
  'duration',
  'version',
  'comparison',
];
type Getter<T> = (row: number) => T | null;
type TextGetters = [Getter<string>, Getter<string>, Getter<string>, Getter<string>, Getter<string>, Getter<string>, Getter<string>];
type NumberGetters = [
  Getter<number>,
  Getter<number>,
  Getter<number>,
  Getter<number>,
  Getter<number>,
  Getter<number>,
  Getter<number>,
  Getter<number>,
  Getter<number>,
  Getter<number>,
];
