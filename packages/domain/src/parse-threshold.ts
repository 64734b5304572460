import { type Complaints, kindOf, quoted, readFields } from './complaints.ts';
import { severityFrom } from './dialects.ts';
import type { Path } from './issue.ts';
import type { Operator } from './metric-query.ts';
import { parseBudget } from './parse-budget.ts';
import { parseAnomaly, parseBaseline, parseChange, parseForecast } from './parse-moving-limits.ts';
import { parseRecover } from './parse-recover.ts';
import { readNumber } from './read-values.ts';
import { SEVERITIES } from './severity.ts';
import type { LevelsSpec, LimitSpec, RecoverSpec, ThresholdSpec } from './threshold-spec.ts';

export type ThresholdFields = ReadonlyMap<string, unknown>;

interface ThresholdPlace {
  path: Path;
  isNegated: boolean;
  hasPast: boolean;
  isCalendar: boolean;
  /** Null: complained about. */
  operator: Operator | null;
}

const KINDS = ['baseline', 'change', 'anomaly', 'forecast', 'budget'] as const;

/** `threshold` with `recover`, where the one allows the other. Null: complained about. */
export function parseThreshold(
  fields: ThresholdFields,
  place: ThresholdPlace,
  complaints: Complaints,
): { threshold: ThresholdSpec; recover?: RecoverSpec } | null {
  const { path, isNegated, operator } = place;
  const at = [...path, 'threshold'];
  if (!fields.has('threshold')) return complaints.add(at, 'required', 'needs a threshold, a number');
  const threshold = parseLimits(fields.get('threshold'), { ...place, path: at }, complaints);
  if (!fields.has('recover')) return threshold === null ? null : { threshold };
  const recoverAt = [...path, 'recover'];
  if (isNegated) return complaints.add(recoverAt, 'recover_under_not', 'recover has no meaning under not');
  const recover = parseRecover(fields.get('recover'), recoverAt, threshold, operator, complaints);
  return threshold === null || recover === null ? null : { threshold, recover };
}

function parseLimits(input: unknown, place: ThresholdPlace, complaints: Complaints): ThresholdSpec | null {
  const { path, isNegated, isCalendar, operator } = place;
  if (typeof input !== 'object' || input === null) return readNumber(input, path, complaints);
  if (Array.isArray(input)) return complaints.add(path, 'invalid_type', 'must be a number, a kind of threshold or levels, not a list');
  const names = Object.keys(input);
  if (Object.hasOwn(input, 'budget')) {
    if (isNegated) return complaints.add(path, 'level_under_not', 'a budget has steps, which have no meaning under not');
    if (operator !== null && !operator.startsWith('>'))
      return complaints.add([...path, 'budget'], 'no_meaning', `is spent, so it is reached: leave the operator ${operator} out`);
    if (!isCalendar) return complaints.add([...path, 'budget'], 'conflict', 'is of a period: the window must be day, week or month');
    const budget = parseBudget(readFields(input, path, ['budget'], complaints)?.get('budget'), [...path, 'budget'], complaints);
    return budget === null ? null : { budget };
  }
  if (!names.some((name) => severityFrom(name) !== null)) return parseLimit(input, place, complaints);
  if (isNegated) return complaints.add(path, 'level_under_not', 'levels have no meaning under not');
  return parseLevels(input, place, complaints);
}

function parseLevels(input: object, place: ThresholdPlace, complaints: Complaints): LevelsSpec | null {
  const levels: LevelsSpec = {};
  for (const [name, value] of Object.entries(input)) {
    const at = [...place.path, name];
    const severity = severityFrom(name);
    if (severity === null) complaints.add(at, 'unknown_field', `Unknown level ${quoted(name)}; levels are ${SEVERITIES.join(' ')}`);
    else if (levels[severity] !== undefined) complaints.add(at, 'duplicate', `${quoted(severity)} is given twice`);
    else {
      const limit = parseLimit(value, { ...place, path: at }, complaints);
      if (limit !== null) levels[severity] = limit;
    }
  }
  const named = SEVERITIES.filter((severity) => levels[severity] !== undefined);
  if (complaints.issues.length > 0) return null;
  if (place.operator === '!=' && named.filter((severity) => typeof levels[severity] === 'number').length > 1)
    return complaints.add(place.path, 'no_meaning', 'a value differs from one of two numbers always, so the worst level would always hold');
  for (const [index, severity] of named.entries()) {
    const milder = named[index - 1];
    if (milder !== undefined && !isFurther(levels[severity], levels[milder], place.operator)) {
      return complaints.add(
        [...place.path, severity],
        'level_order',
        `must be further than ${milder}: what is worse must be harder to reach`,
      );
    }
  }
  return Object.fromEntries(named.map((severity) => [severity, levels[severity]]));
}

/** Whether a worse level's number lies further to the breaching side; what moves cannot be told. */
function isFurther(worse: LimitSpec | undefined, milder: LimitSpec | undefined, operator: Operator | null): boolean {
  if (typeof worse !== 'number' || typeof milder !== 'number' || operator === null) return true;
  return operator.startsWith('<') ? worse < milder : operator.startsWith('>') ? worse > milder : true;
}

function parseLimit(input: unknown, place: ThresholdPlace, complaints: Complaints): LimitSpec | null {
  const { path, hasPast, isCalendar, operator } = place;
  if (typeof input === 'number') return readNumber(input, path, complaints);
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return complaints.add(path, 'invalid_type', `must be a number or a kind of threshold, not ${kindOf(input)}`);
  const kinds = KINDS.filter((kind) => Object.hasOwn(input, kind));
  const [kind] = kinds;
  if (kind === undefined || kind === 'budget') {
    const message = kind === 'budget' ? 'a budget has levels of its own' : `must be a number or one of {${KINDS.join('}, {')}}`;
    return complaints.add(path, kind === undefined ? 'invalid_value' : 'conflict', message);
  }
  if (kinds.length > 1) return complaints.add(path, 'conflict', `takes one of ${kinds.join(' and ')}`);
  const value = readFields(input, path, [kind], complaints)?.get(kind);
  const at = [...path, kind];
  if (!hasPast) return complaints.add(at, 'no_meaning', 'a ratio is compared with a number or levels of numbers');
  if (isCalendar)
    return complaints.add(at, 'no_meaning', 'a window of day, week or month grows through its period, so its past does not compare');
  if (operator === '==' || (operator === '!=' && kind !== 'change' && kind !== 'anomaly'))
    return complaints.add(at, 'no_meaning', `has no meaning with ${operator}`);
  switch (kind) {
    case 'baseline':
      return parseBaseline(value, at, operator, complaints);
    case 'change':
      return parseChange(value, at, complaints);
    case 'anomaly':
      return parseAnomaly(value, at, operator, complaints);
    case 'forecast':
      return parseForecast(value, at, complaints);
  }
}
