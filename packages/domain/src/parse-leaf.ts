import { isPeriod, PERIOD_MAX_MS } from './period.ts';
import { isTimeZone } from './wall-clock.ts';
import { type Complaints, quoted, readFields } from './complaints.ts';
import { operatorFrom } from './dialects.ts';
import { durationMs } from './duration.ts';
import type { Path } from './issue.ts';
import { OPERATORS, type Operator } from './metric-query.ts';
import { PART_FIELDS, parseQueryPart, parseWindow } from './parse-query.ts';
import { parseBurnRate } from './parse-burn-rate.ts';
import { parseThreshold, type ThresholdFields } from './parse-threshold.ts';
import { exactly, readDuration, readLine, readNumber, readWord } from './read-values.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import {
  RULE_STANDINGS,
  type AbsenceSpec,
  type ComparisonSpec,
  type ConditionSpec,
  type QueryPartSpec,
  type RatioSpec,
  type RuleReferenceSpec,
} from './rule-spec.ts';

export interface LeafPlace {
  path: Path;
  isNegated: boolean;
}

const COMPARED_FIELDS = ['window', 'timeZone', 'operator', 'threshold', 'recover', 'minSamples', 'groupBy'] as const;
const COMPARISON_FIELDS = [...PART_FIELDS, ...COMPARED_FIELDS, 'of', 'lookback'] as const;
const RATIO_FIELDS = ['numerator', 'denominator', 'unit', 'bound', ...COMPARED_FIELDS] as const;
const ABSENCE_FIELDS = ['absentFor', 'metric', 'measure', 'dim', 'name', 'where'] as const;

/** One comparison, ratio, silence or other rule; a burn rate becomes the two comparisons it stands for. Null: complained about. */
export function parseLeaf(input: object, place: LeafPlace, complaints: Complaints): ConditionSpec | null {
  if (Object.hasOwn(input, 'rule')) return parseReference(input, place, complaints);
  if (Object.hasOwn(input, 'absentFor')) return parseAbsence(input, place, complaints);
  if (Object.hasOwn(input, 'burnRate')) return parseBurnRate(input, place, complaints, parseRatio);
  if (Object.hasOwn(input, 'numerator') || Object.hasOwn(input, 'denominator')) return parseRatio(input, place, complaints);
  return parseComparison(input, place, complaints);
}

function parseComparison(input: object, { path, isNegated }: LeafPlace, complaints: Complaints): ComparisonSpec | null {
  const fields = readFields(input, path, COMPARISON_FIELDS, complaints);
  if (fields === null) return null;
  const window = parseWindow(fields, path, complaints, { calendars: true });
  const query = parseQueryPart(fields, path, windowMsOf(window), complaints);
  const compared = parseCompared(fields, { path, isNegated, window, hasPast: true }, complaints);
  const of = fields.has('of') ? parseOf(fields.get('of'), path, fields.get('metric'), windowMsOf(window), complaints) : undefined;
  const lookback =
    of === undefined
      ? fields.has('lookback')
        ? complaints.add(
            [...path, 'lookback'],
            'unknown_field',
            `goes with 'of', or into a threshold such as {"baseline": {"lookback": …}}`,
          )
        : undefined
      : readDuration(fields.get('lookback') ?? '7d', [...path, 'lookback'], 3 * DAY_MS, RULE_BOUNDS.maxLookbackMs, complaints);
  if (query === null || compared === null || of === null || lookback === null) return null;
  return { ...query, ...compared, ...(of === undefined ? {} : { of }), ...(lookback === undefined ? {} : { lookback }) };
}

const DAY_MS = 86_400_000;

function parseOf(input: unknown, path: Path, metric: unknown, windowMs: number | null, complaints: Complaints): QueryPartSpec | null {
  const at = [...path, 'of'];
  if (metric !== 'anomaly_severity') return complaints.add(at, 'conflict', 'goes with metric anomaly_severity alone');
  return parsePart(input, at, windowMs, complaints);
}

function parsePart(input: unknown, path: Path, windowMs: number | null, complaints: Complaints): QueryPartSpec | null {
  const fields = readFields(input, path, PART_FIELDS, complaints);
  return fields === null ? null : parseQueryPart(fields, path, windowMs, complaints);
}

function parseRatio(input: object, { path, isNegated }: LeafPlace, complaints: Complaints): RatioSpec | null {
  const fields = readFields(input, path, RATIO_FIELDS, complaints);
  if (fields === null) return null;
  const window = parseWindow(fields, path, complaints, { calendars: true });
  const part = (name: 'numerator' | 'denominator'): QueryPartSpec | null =>
    fields.has(name)
      ? parsePart(fields.get(name), [...path, name], windowMsOf(window), complaints)
      : complaints.add([...path, name], 'required', 'needs both: {"numerator": {…}, "denominator": {…}}');
  const [numerator, denominator] = [part('numerator'), part('denominator')];
  const unit = fields.has('unit')
    ? readWord(
        fields.get('unit') === '%' ? 'percent' : fields.get('unit'),
        [...path, 'unit'],
        RATIO_UNITS,
        exactly(RATIO_UNITS),
        complaints,
      )
    : ('percent' as const);
  const bound = fields.has('bound')
    ? readWord(fields.get('bound'), [...path, 'bound'], BOUNDS, exactly(BOUNDS), complaints)
    : ('none' as const);
  const compared = parseCompared(fields, { path, isNegated, window, hasPast: false }, complaints);
  if (numerator === null || denominator === null || unit === null || bound === null || compared === null) return null;
  if (bound === 'wilson95' && !(isCount(numerator) && isCount(denominator))) {
    return complaints.add([...path, 'bound'], 'no_meaning', 'is of a share of events: both sides must have the aggregation count');
  }
  return { numerator, denominator, unit, bound, ...compared };
}

const RATIO_UNITS = ['percent', 'ratio'] as const;
const BOUNDS = ['none', 'wilson95'] as const;
const isCount = ({ metric, aggregation }: QueryPartSpec): boolean =>
  aggregation === 'count' || (metric === 'throughput' && aggregation === 'sum');

function parseAbsence(input: object, { path }: LeafPlace, complaints: Complaints): AbsenceSpec | null {
  const fields = readFields(input, path, ABSENCE_FIELDS, complaints);
  if (fields === null) return null;
  const { minWindowMs, maxExactWindowMs } = RULE_BOUNDS;
  const max = fields.has('dim') ? maxExactWindowMs : complaints.bounds.maxWindowMs;
  const absentFor = readDuration(fields.get('absentFor'), [...path, 'absentFor'], minWindowMs, max, complaints);
  const part = parseQueryPart(withoutAggregation(fields), path, null, complaints);
  if (absentFor === null || part === null) return null;
  const { aggregation: _, unit: __, ...query } = part;
  return { absentFor, ...query };
}

/** Its aggregation is a count, whatever the default of the metric is. */
function withoutAggregation(fields: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  return fields.has('dim') ? fields : new Map([...fields, ['aggregation', 'count']]);
}

function parseReference(input: object, { path }: LeafPlace, complaints: Complaints): RuleReferenceSpec | null {
  const fields = readFields(input, path, ['rule', 'is'], complaints);
  if (fields === null) return null;
  const rule = readLine(fields.get('rule'), [...path, 'rule'], RULE_BOUNDS.keyLength, complaints);
  const is = fields.has('is')
    ? readWord(fields.get('is'), [...path, 'is'], RULE_STANDINGS, exactly(RULE_STANDINGS), complaints)
    : ('firing' as const);
  return rule === null || is === null ? null : { rule, is };
}

interface ComparedPlace extends LeafPlace {
  /** Null: complained about. */
  window: string | null;
  /** A ratio has no threshold that is made of its past. */
  hasPast: boolean;
}

/** What every comparison says beside its query. */
function parseCompared(
  fields: ThresholdFields,
  place: ComparedPlace,
  complaints: Complaints,
): Pick<ComparisonSpec, 'window' | 'timeZone' | 'operator' | 'threshold' | 'recover' | 'minSamples' | 'groupBy'> | null {
  const { path, window } = place;
  const operator = fields.has('operator')
    ? readWord(fields.get('operator'), [...path, 'operator'], OPERATORS, operatorFrom, complaints)
    : impliedOperator(fields, path, complaints);
  const timeZone = fields.has('timeZone') ? readTimeZone(fields.get('timeZone'), [...path, 'timeZone'], window, complaints) : undefined;
  const minSamples = fields.has('minSamples') ? readMinSamples(fields.get('minSamples'), [...path, 'minSamples'], complaints) : 1;
  const joins = fields.has('groupBy') ? readJoin(fields.get('groupBy'), [...path, 'groupBy'], complaints) : false;
  const isCalendar = window !== null && isPeriod(window);
  const limits = parseThreshold(fields, { ...place, operator, isCalendar }, complaints);
  if (window === null || operator === null || timeZone === null || minSamples === null || joins === null || limits === null) return null;
  return {
    window,
    ...(isCalendar ? { timeZone: timeZone ?? 'UTC' } : {}),
    operator,
    ...limits,
    minSamples,
    ...(joins ? { groupBy: [] as [] } : {}),
  };
}

/** What is unusual either way needs no operator, and a budget is spent in one direction. */
function impliedOperator(fields: ThresholdFields, path: Path, complaints: Complaints): Operator | null {
  const threshold = fields.get('threshold');
  if (typeof threshold === 'object' && threshold !== null) {
    if ('anomaly' in threshold) {
      const { direction } = (threshold.anomaly ?? {}) as { direction?: unknown };
      return direction === 'above' ? '>' : direction === 'below' ? '<' : '!=';
    }
    if ('budget' in threshold) return '>=';
  }
  return complaints.add([...path, 'operator'], 'required', `needs an operator: ${OPERATORS.join(' ')}`);
}

function readTimeZone(value: unknown, path: Path, window: string | null, complaints: Complaints): string | null {
  const name = readLine(value, path, 64, complaints);
  if (name === null) return null;
  if (window !== null && !isPeriod(window)) return complaints.add(path, 'conflict', 'goes with a window of day, week or month alone');
  if (isTimeZone(name)) return name;
  return complaints.add(path, 'invalid_value', `${quoted(name)} is no time zone; write its IANA name, such as 'Europe/Berlin'`);
}

function readMinSamples(value: unknown, path: Path, complaints: Complaints): number | null {
  const number = readNumber(value, path, complaints);
  if (number === null || (Number.isSafeInteger(number) && number >= 1)) return number;
  return complaints.add(path, 'out_of_range', 'must be a whole number, 1 or more');
}

function readJoin(value: unknown, path: Path, complaints: Complaints): boolean | null {
  if (Array.isArray(value) && value.length === 0) return true;
  return complaints.add(
    path,
    'invalid_value',
    'groupBy belongs to the rule; a comparison may only say [], and its value joins every series',
  );
}

const windowMsOf = (window: string | null): number | null =>
  window === null ? null : isPeriod(window) ? PERIOD_MAX_MS[window] : durationMs(window);
