import { AGGREGATION_FACTS, AGGREGATIONS, type Aggregation } from './aggregations.ts';
import { catalogueUnit, defaultAggregation, isMetricName, meaning, METRIC_NAMES, type Looked } from './catalogue.ts';
import { isPeriod } from './period.ts';
import { compileQuery, unitOf, type QuerySpec } from './compile-query.ts';
import { Complaints, quoted, readFields } from './complaints.ts';
import { aggregationFrom } from './dialects.ts';
import { durationMs, formatDuration } from './duration.ts';
import type { Issue, Path } from './issue.ts';
import type { MetricQuery } from './metric-query.ts';
import { didYouMean } from './nearest-name.ts';
import { parseWhere } from './parse-where.ts';
import { RATE_UNITS, rateUnit } from './rate-unit.ts';
import { readDuration, readLine, readList, readWord } from './read-values.ts';
import { RULE_BOUNDS, type RuleBounds } from './rule-bounds.ts';
import type { QueryPartSpec } from './rule-spec.ts';
import type { SavedMetric, SavedMetrics } from './saved-metric.ts';

export const PART_FIELDS = ['metric', 'measure', 'dim', 'name', 'aggregation', 'where', 'unit'] as const;
type PartField = (typeof PART_FIELDS)[number];
export const QUERY_FIELDS = [...PART_FIELDS, 'window'] as const;

interface PartFields {
  has: (name: PartField) => boolean;
  get: (name: PartField) => unknown;
}

/** What is read of the events of a window. `windowMs` is null where the window itself was complained about. Null: complained about. */
export function parseQueryPart(fields: PartFields, path: Path, windowMs: number | null, complaints: Complaints): QueryPartSpec | null {
  const read = <Value>(name: PartField, reader: (value: unknown, at: Path) => Value | null): Value | null | undefined =>
    fields.has(name) ? reader(fields.get(name), [...path, name]) : undefined;
  const fieldName = (value: unknown, at: Path): string | null => readLine(value, at, RULE_BOUNDS.fieldLength, complaints);

  const metric = read('metric', (value, at) => readMetric(value, at, complaints));
  const measure = read('measure', fieldName);
  const dim = read('dim', fieldName);
  const name = read('name', (value, at) => readLine(value, at, RULE_BOUNDS.nameLength, complaints));
  const written = read('aggregation', (value, at) => readWord(value, at, AGGREGATIONS, aggregationFrom, complaints));
  const where = read('where', (value, at) => parseWhere(value, at, complaints));
  const unit = read('unit', (value, at) => readLine(value === '%' ? 'percent' : value, at, RULE_BOUNDS.unitLength, complaints));

  const subjects = (['metric', 'measure', 'dim'] as const).filter((field) => fields.has(field));
  if (subjects.length > 1)
    return complaints.add(
      [...path, subjects[1] ?? 'measure'],
      'conflict',
      `takes one of metric, measure and dim, not ${subjects.join(' and ')}`,
    );
  if (metric === null || measure === null || dim === null || name === null || written === null || where === null || unit === null)
    return null;

  const looked: Looked = { metric, measure, dim };
  const saved = metric === undefined ? undefined : complaints.savedMetrics.get(metric);
  if (saved !== undefined && name !== undefined)
    return complaints.add([...path, 'name'], 'conflict', 'a saved metric has events of its own; filter by where, or leave the name out');
  const aggregation = written ?? defaultAggregation(looked, windowMs ?? 0);
  const isSound = [
    hasMeaning(looked, aggregation, path, complaints),
    windowMs === null || fitsWindow(aggregation, windowMs, path, complaints),
    unit === undefined || fitsUnit(unit, looked, saved, aggregation, [...path, 'unit'], complaints),
  ].every(Boolean);
  if (!isSound) return null;
  const shownUnit = unit ?? (AGGREGATION_FACTS[aggregation].unit === 'own' ? saved?.unit : null) ?? undefined;
  return {
    ...(metric === undefined ? {} : { metric }),
    ...(measure === undefined ? {} : { measure }),
    ...(dim === undefined ? {} : { dim }),
    ...(name === undefined ? {} : { name }),
    aggregation,
    ...(where === undefined || Object.keys(where).length === 0 ? {} : { where }),
    ...(shownUnit === undefined ? {} : { unit: shownUnit }),
  };
}

/** The window of a comparison: a duration, or with `calendars` a period of the calendar. Null: complained about. */
export function parseWindow(
  fields: { has: (name: 'window') => boolean; get: (name: 'window') => unknown },
  path: Path,
  complaints: Complaints,
  { calendars }: { calendars: boolean },
): string | null {
  if (!fields.has('window')) return complaints.add([...path, 'window'], 'required', "needs a window, such as '5m'");
  const window = fields.get('window');
  const period = typeof window === 'string' ? window.trim().toLowerCase() : '';
  if (calendars && isPeriod(period)) return period;
  return readDuration(window, [...path, 'window'], RULE_BOUNDS.minWindowMs, complaints.bounds.maxWindowMs, complaints);
}

/** A query with its window, a duration. Null: complained about. */
export function parseQuerySpec(
  fields: { has: (name: (typeof QUERY_FIELDS)[number]) => boolean; get: (name: (typeof QUERY_FIELDS)[number]) => unknown },
  path: Path,
  complaints: Complaints,
): QuerySpec | null {
  const window = parseWindow(fields, path, complaints, { calendars: false });
  const part = parseQueryPart(fields, path, window === null ? null : durationMs(window), complaints);
  return part === null || window === null ? null : { ...part, window };
}

/** A metric query by itself, in the words of a rule's comparison, with `groupBy`. `unit` is that of its values, for `formatValue`. */
export function parseMetricQuery(
  input: unknown,
  bounds?: RuleBounds,
  savedMetrics?: SavedMetrics,
): { ok: true; query: MetricQuery; unit: string | null } | { ok: false; issues: Issue[] } {
  const complaints = new Complaints(bounds, savedMetrics);
  const fields = readFields(input, [], [...QUERY_FIELDS, 'groupBy'], complaints);
  if (fields === null) return { ok: false, issues: complaints.issues };
  const spec = parseQuerySpec(fields, [], complaints);
  const groupBy = parseGroupBy(fields.get('groupBy') ?? [], ['groupBy'], complaints);
  if (spec === null || groupBy === null || complaints.issues.length > 0) return { ok: false, issues: complaints.issues };
  return { ok: true, query: compileQuery(spec, groupBy.toSorted()), unit: unitOf(spec) };
}

/** Dimensions to split by, in the order written. */
export function parseGroupBy(input: unknown, path: Path, complaints: Complaints): string[] | null {
  const list = readList(input, path, RULE_BOUNDS.groupBy, complaints);
  if (list === null) return null;
  const dims = list.map((value, index) => {
    const at = [...path, index];
    const dim = readLine(value, at, RULE_BOUNDS.fieldLength, complaints);
    if (dim === '__proto__' || dim === 'constructor' || dim === 'prototype')
      return complaints.add(at, 'forbidden_key', `${quoted(dim)} is not allowed as a name`);
    if (dim !== null && list.indexOf(value) < index) return complaints.add(at, 'duplicate', `${quoted(dim)} is given twice`);
    return dim;
  });
  return dims.every((dim) => dim !== null) ? dims : null;
}

/** One of the catalogue, or a saved one. */
function readMetric(value: unknown, path: Path, complaints: Complaints): string | null {
  const name = readLine(value, path, RULE_BOUNDS.fieldLength, complaints);
  if (name === null || isMetricName(name) || complaints.savedMetrics.has(name)) return name;
  const known = [...METRIC_NAMES, ...complaints.savedMetrics.keys()];
  return complaints.add(
    path,
    'invalid_value',
    `Unknown metric ${quoted(name)}.${didYouMean(name, known)} A measure of your own is named by 'measure'.`,
  );
}

function hasMeaning(looked: Looked, aggregation: Aggregation, path: Path, complaints: Complaints): boolean {
  if (meaning(looked, aggregation) !== null) return true;
  const what = looked.metric ?? (looked.dim === undefined ? 'a plain count of events' : `dimension ${quoted(looked.dim)}`);
  const takes = AGGREGATIONS.filter((candidate) => meaning(looked, candidate) !== null).join(', ');
  complaints.add([...path, 'aggregation'], 'no_meaning', `${aggregation} means nothing for ${what}; it takes ${takes}`);
  return false;
}

function fitsWindow(aggregation: Aggregation, windowMs: number, path: Path, complaints: Complaints): boolean {
  const { maxWindowMs } = AGGREGATION_FACTS[aggregation];
  if (windowMs <= maxWindowMs) return true;
  complaints.add([...path, 'window'], 'out_of_range', `${aggregation} reaches back at most ${formatDuration(maxWindowMs)}`);
  return false;
}

/** `perHour` and its like belong to rates. A metric has its own unit; only money comes in several, and what has none may be given any. */
function fitsUnit(
  unit: string,
  looked: Looked,
  saved: SavedMetric | undefined,
  aggregation: Aggregation,
  path: Path,
  complaints: Complaints,
): boolean {
  const meant = meaning(looked, aggregation);
  const isRate = meant !== null && AGGREGATION_FACTS[meant.aggregation].unit === 'rate';
  if (rateUnit(unit) !== null || isRate) {
    if (rateUnit(unit) !== null && isRate) return true;
    const message = isRate
      ? `Unknown unit ${quoted(unit)} of a rate; it must be one of ${[...RATE_UNITS.keys()].join(' ')}.${didYouMean(unit, RATE_UNITS.keys())}`
      : `${quoted(unit)} is a unit of rates; this is ${aggregation}`;
    complaints.add(path, 'invalid_value', message);
    return false;
  }
  const own = saved?.unit ?? catalogueUnit(looked.metric);
  const isFree = looked.metric === 'cost' || looked.measure !== undefined || saved?.unit === null;
  if (isFree || own === unit) return true;
  const message = own === null ? 'there is no unit to choose here' : `${looked.metric ?? ''} is in ${own}; leave the unit out`;
  complaints.add(path, 'invalid_value', message);
  return false;
}
