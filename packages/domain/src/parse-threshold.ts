import { type Complaints, kindOf, quoted, readFields } from './complaints.ts';
import { severityFrom } from './dialects.ts';
import { durationMs, formatDuration } from './duration.ts';
import { LEAST_LOOKBACK_MS } from './fit-model.ts';
import { SEASONAL_LEAST_MS } from './fit-seasonal.ts';
import { TREND_LEAST_MS } from './fit-trend.ts';
import type { Path } from './issue.ts';
import type { Operator } from './metric-query.ts';
import { readDuration, readList, readNumber, readWord } from './read-values.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import { SEVERITIES, type Severity } from './severity.ts';
import {
  DIRECTIONS,
  isBudget,
  isLevels,
  METHODS,
  SEASONS,
  STATISTICS,
  VERSUS,
  type BudgetSpec,
  type LevelsSpec,
  type LimitSpec,
  type RecoverSpec,
  type ThresholdSpec,
} from './threshold-spec.ts';

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

/** A field within a kind of threshold; `otherwise` where it is absent. */
function reader(fields: ThresholdFields, path: Path, complaints: Complaints) {
  const number = <Default>(name: string, otherwise: Default, least: number, what: string): number | Default | null => {
    if (!fields.has(name)) return otherwise === null ? complaints.add([...path, name], 'required', `needs ${what}`) : otherwise;
    const value = readNumber(fields.get(name), [...path, name], complaints);
    if (value === null || value >= least) return value;
    return complaints.add([...path, name], 'out_of_range', `must be at least ${least}`);
  };
  const word = <Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word | null =>
    fields.has(name) ? readWord(fields.get(name), [...path, name], words, oneOf(words), complaints) : otherwise;
  const lookback = (otherwise: string, leastMs: number): string | null =>
    readDuration(fields.get('lookback') ?? otherwise, [...path, 'lookback'], leastMs, RULE_BOUNDS.maxLookbackMs, complaints);
  return { number, word, lookback };
}

/** Only what was said. */
function optional<Fields extends Record<string, number | undefined>>(fields: Fields): { [name in keyof Fields]?: number } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [name in keyof Fields]?: number };
}

const oneOf =
  <Word extends string>(words: readonly Word[]) =>
  (written: string): Word | null =>
    words.find((word) => word.toLowerCase() === written.trim().toLowerCase()) ?? null;

function parseBaseline(input: unknown, path: Path, operator: Operator | null, complaints: Complaints): LimitSpec | null {
  const fields = readFields(input, path, ['multiplier', 'lookback', 'floor', 'season', 'statistic', 'recover'], complaints);
  if (fields === null) return null;
  const { number, word, lookback: readLookback } = reader(fields, path, complaints);
  const multiplier = number('multiplier', null, 0, 'a multiplier, such as 2');
  const season = word('season', SEASONS, 'hourOfDay');
  const statistic = word('statistic', STATISTICS, 'median');
  const lookback = season === null ? null : readLookback(season === 'hourOfWeek' ? '28d' : '7d', LEAST_LOOKBACK_MS[season]);
  const floor = number('floor', undefined, -Infinity, '');
  const recover = number('recover', undefined, 0, '');
  if (multiplier === null || season === null || statistic === null || lookback === null || floor === null || recover === null) return null;
  if (recover !== undefined && (operator?.startsWith('<') ? recover < multiplier : recover > multiplier))
    return complaints.add([...path, 'recover'], 'recover_side', `must be on the clear side of the multiplier ${multiplier}`);
  return { baseline: { multiplier, lookback, ...optional({ floor }), season, statistic, ...optional({ recover }) } };
}

function parseChange(input: unknown, path: Path, complaints: Complaints): LimitSpec | null {
  const fields = readFields(input, path, ['percent', 'versus', 'floor', 'recover'], complaints);
  if (fields === null) return null;
  const { number, word } = reader(fields, path, complaints);
  const percent = number('percent', null, 0, 'a percent, such as 50');
  const versus = word('versus', VERSUS, 'previous');
  const floor = number('floor', undefined, -Infinity, '');
  const recover = number('recover', undefined, 0, '');
  if (percent === null || versus === null || floor === null || recover === null) return null;
  if (recover !== undefined && recover > percent)
    return complaints.add([...path, 'recover'], 'recover_side', `must be at most the percent ${percent}`);
  return { change: { percent, versus, ...optional({ floor, recover }) } };
}

function parseAnomaly(input: unknown, path: Path, operator: Operator | null, complaints: Complaints): LimitSpec | null {
  const fields = readFields(input, path, ['score', 'lookback', 'direction', 'method', 'floor', 'recover'], complaints);
  if (fields === null) return null;
  const { number, word, lookback: readLookback } = reader(fields, path, complaints);
  const score = number('score', 3, 0.5, '');
  const implied = operator?.startsWith('>') ? 'above' : operator?.startsWith('<') ? 'below' : 'both';
  const direction = word('direction', DIRECTIONS, implied);
  const method = word('method', METHODS, 'robust');
  const lookback = method === null ? null : readLookback('7d', method === 'seasonal' ? SEASONAL_LEAST_MS : LEAST_LOOKBACK_MS.hourOfDay);
  const floor = number('floor', undefined, 0, '');
  const recover = number('recover', undefined, 0, '');
  if (score === null || direction === null || method === null || lookback === null || floor === null || recover === null) return null;
  if (operator !== null && direction !== implied)
    return complaints.add(
      [...path, 'direction'],
      'conflict',
      `is ${direction}, while the operator ${operator} says ${implied}; leave one out`,
    );
  if (recover !== undefined && recover > score)
    return complaints.add([...path, 'recover'], 'recover_side', `must be at most the score ${score}`);
  return { anomaly: { score, lookback, direction, method, ...optional({ floor, recover }) } };
}

function parseForecast(input: unknown, path: Path, complaints: Complaints): LimitSpec | null {
  const fields = readFields(input, path, ['crosses', 'within', 'lookback'], complaints);
  if (fields === null) return null;
  const { number, lookback: readLookback } = reader(fields, path, complaints);
  const crosses = number('crosses', null, -Infinity, 'the number it must not cross');
  const within = readDuration(fields.get('within') ?? '4h', [...path, 'within'], 60_000, RULE_BOUNDS.maxLookbackMs, complaints);
  const lookback = readLookback('24h', TREND_LEAST_MS);
  if (crosses === null || within === null || lookback === null) return null;
  if (durationMs(within) > durationMs(lookback))
    return complaints.add(
      [...path, 'within'],
      'out_of_range',
      `must be at most the lookback ${formatDuration(durationMs(lookback))}: further ahead is a guess`,
    );
  return { forecast: { crosses, within, lookback } };
}

const STEPS_MAX = 10;

function parseBudget(input: unknown, path: Path, complaints: Complaints): BudgetSpec | null {
  const fields = readFields(input, path, ['amount', 'steps'], complaints);
  if (fields === null) return null;
  const amount = readNumber(fields.get('amount'), [...path, 'amount'], complaints);
  const list = readList(fields.get('steps') ?? [80, 100], [...path, 'steps'], STEPS_MAX, complaints);
  const steps = list?.map((step, index) => readNumber(step, [...path, 'steps', index], complaints)) ?? [];
  if (amount === null || list === null || !steps.every((step) => step !== null)) return null;
  if (amount <= 0) return complaints.add([...path, 'amount'], 'out_of_range', 'must be more than 0');
  if (steps.length === 0) return complaints.add([...path, 'steps'], 'empty', 'must hold a percentage at least, such as 100');
  const wrong = steps.findIndex((step, index) => step <= (steps[index - 1] ?? 0) || step > 1_000);
  if (wrong >= 0)
    return complaints.add(
      [...path, 'steps', wrong],
      'out_of_range',
      'must be percentages from above 0 to 1,000, each more than the one before',
    );
  return { amount, steps };
}

function parseRecover(
  input: unknown,
  path: Path,
  threshold: ThresholdSpec | null,
  operator: Operator | null,
  complaints: Complaints,
): RecoverSpec | null {
  if (threshold !== null && isBudget(threshold))
    return complaints.add(path, 'no_meaning', 'what is spent does not come back within its period');
  if (threshold === null || !isLevels(threshold)) return parseOneRecover(input, path, threshold, operator, complaints);
  const fields = readFields(input, path, SEVERITIES, complaints);
  if (fields === null) return null;
  const recover: Partial<Record<Severity, number>> = {};
  for (const [severity, value] of fields) {
    const limit = threshold[severity];
    if (limit === undefined) return complaints.add([...path, severity], 'conflict', `there is no level ${severity} to recover from`);
    const number = parseOneRecover(value, [...path, severity], limit, operator, complaints);
    if (number !== null) recover[severity] = number;
  }
  return recover;
}

function parseOneRecover(
  input: unknown,
  path: Path,
  limit: LimitSpec | null,
  operator: Operator | null,
  complaints: Complaints,
): number | null {
  const recover = readNumber(input, path, complaints);
  if (recover === null || limit === null || operator === null) return null;
  if (typeof limit !== 'number') {
    const [kind] = Object.keys(limit);
    const where = kind === 'forecast' ? 'a forecast has none' : `put it into the threshold: {"${kind}": {…, "recover": …}}`;
    return complaints.add(path, 'conflict', `a threshold that moves has no fixed end; ${where}`);
  }
  if (isOnClearSide(recover, operator, limit)) return recover;
  return complaints.add(path, 'recover_side', recoverMessage(operator, limit));
}

function isOnClearSide(recover: number, operator: Operator, threshold: number): boolean {
  if (operator === '>' || operator === '>=') return recover <= threshold;
  return (operator === '<' || operator === '<=') && recover >= threshold;
}

function recoverMessage(operator: Operator, threshold: number): string {
  if (operator === '==' || operator === '!=') return `recover has no meaning with ${operator}, which has no side`;
  return `must be ${operator.startsWith('>') ? 'at most' : 'at least'} the threshold ${threshold}: firing ends on its clear side`;
}
