import { type Complaints, readFields } from './complaints.ts';
import { durationMs, formatDuration } from './duration.ts';
import { LEAST_LOOKBACK_MS } from './fit-model.ts';
import { SEASONAL_LEAST_MS } from './fit-seasonal.ts';
import { TREND_LEAST_MS } from './fit-trend.ts';
import type { Path } from './issue.ts';
import type { Operator } from './metric-query.ts';
import { readDuration, readNumber, readWord } from './read-values.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import { DIRECTIONS, METHODS, SEASONS, STATISTICS, VERSUS, type LimitSpec } from './threshold-spec.ts';

type Fields = ReadonlyMap<string, unknown>;

/** A field within a kind of threshold; `otherwise` where it is absent. */
function reader(fields: Fields, path: Path, complaints: Complaints) {
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
function optional<Said extends Record<string, number | undefined>>(fields: Said): { [name in keyof Said]?: number } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [name in keyof Said]?: number };
}

const oneOf =
  <Word extends string>(words: readonly Word[]) =>
  (written: string): Word | null =>
    words.find((word) => word.toLowerCase() === written.trim().toLowerCase()) ?? null;

export function parseBaseline(input: unknown, path: Path, operator: Operator | null, complaints: Complaints): LimitSpec | null {
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

export function parseChange(input: unknown, path: Path, complaints: Complaints): LimitSpec | null {
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

export function parseAnomaly(input: unknown, path: Path, operator: Operator | null, complaints: Complaints): LimitSpec | null {
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

export function parseForecast(input: unknown, path: Path, complaints: Complaints): LimitSpec | null {
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
