import { periodAt } from './period.ts';
import type { EpochMs } from './clock.ts';
import type { Comparison, Limit } from './compiled-rule.ts';
import { expectedAt } from './fit-model.ts';
import { trendChange, type TrendFit } from './fit-trend.ts';
import { HOUR_MS } from './history-points.ts';
import { scoreOf, type Measured } from './measure-value.ts';
import type { Operator } from './metric-query.ts';
import type { NotReadyReason, Origin } from './origin.ts';
import type { SeriesAnswers } from './series-answers.ts';
import type { Verdict } from './series-state.ts';

/** What one comparison says at one level, and with which numbers. */
export interface Compared {
  verdict: Verdict;
  /** Null: no reading. */
  value: number | null;
  samples: number;
  /** Null: not known. */
  threshold: number | null;
  /** The side that broke, or is nearer, of a limit with two sides; else the comparison's own. */
  operator: Operator;
  origin: Origin | null;
  /** Of the verdict `not_ready`. */
  reason: NotReadyReason | null;
}

export function compare(value: number, operator: Operator, threshold: number): boolean {
  switch (operator) {
    case '>':
      return value > threshold;
    case '>=':
      return value >= threshold;
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '==':
      return value === threshold;
    case '!=':
      return value !== threshold;
  }
}

/**
 * Compares what was measured with the limit of one level. A value that lacks samples, or that there is none of, is unknown whatever the limit is;
 * a limit that nobody knows yet is `not_ready`. A level the comparison does not name is clear.
 * @param isHeld with `recover` in place of the limit's own parameter
 */
export function compareAt(comparison: Comparison, level: number, isHeld: boolean, measured: Measured, answers: SeriesAnswers): Compared {
  const limit = comparison.limits[level] ?? null;
  const { operator } = comparison;
  if (measured.kind !== 'value') {
    const reason = measured.kind === 'not_ready' ? measured.reason : null;
    return { verdict: measured.kind, value: null, samples: 0, threshold: writtenThreshold(limit), operator, origin: null, reason };
  }
  const { value, samples, isEnough, origin } = measured;
  const told = { value, samples, operator, origin, reason: null };
  if (limit === null) return { ...told, verdict: 'clear', threshold: null };
  if (value === null || !isEnough) return { ...told, verdict: 'unknown', threshold: writtenThreshold(limit) };
  if (limit.kind === 'fixed') {
    const threshold = isHeld ? (limit.recover ?? limit.threshold) : limit.threshold;
    return { ...told, verdict: verdictIf(compare(value, operator, threshold)), threshold: limit.threshold };
  }
  return { ...told, ...moving(limit, operator, isHeld, value, answers) };
}

/** What the rule says itself, for a series of which nothing is known. */
function writtenThreshold(limit: Limit | null): number | null {
  if (limit?.kind === 'fixed') return limit.threshold;
  if (limit?.kind === 'forecast') return limit.crosses;
  return limit?.kind === 'budget' ? (limit.amount * limit.percent) / 100 : null;
}

type Moving = Pick<Compared, 'verdict' | 'threshold'> & Partial<Compared>;

const verdictIf = (isBreaching: boolean): Verdict => (isBreaching ? 'breach' : 'clear');
const notReady = (reason: NotReadyReason): Moving => ({ verdict: 'not_ready', threshold: null, reason });
const FAILED: Moving = { verdict: 'failed', threshold: null };

function moving(
  limit: Exclude<Limit, { kind: 'fixed' }>,
  operator: Operator,
  isHeld: boolean,
  value: number,
  answers: SeriesAnswers,
): Moving {
  switch (limit.kind) {
    case 'baseline':
      return versusBaseline(limit, operator, isHeld, value, answers);
    case 'change':
      return versusBefore(limit, operator, isHeld, value, answers);
    case 'anomaly':
      return versusUsual(limit, isHeld, value, answers);
    case 'forecast':
      return foretold(limit, operator, value, answers);
    case 'budget':
      return spent(limit, operator, value, answers.endMs);
  }
}

function versusBaseline(limit: Of<'baseline'>, operator: Operator, isHeld: boolean, value: number, answers: SeriesAnswers): Moving {
  const fit = answers.histories[limit.history] ?? 'failed';
  if (fit === 'failed') return FAILED;
  if (fit === 'not_ready') return notReady('warming');
  const expected = expectedAt(fit, answers.endMs);
  if (expected === null || fit.kind !== 'buckets') return notReady('baseline_not_ready');
  const { centre, points } = expected;
  const { multiplier, floor } = limit;
  const scaled = (isHeld ? (limit.recover ?? multiplier) : multiplier) * centre;
  const threshold = bounded(scaled, operator, floor);
  const isBreaching = compare(value, operator, threshold) && isWorthIt(centre, operator, floor);
  const origin: Origin = {
    kind: 'baseline',
    baseline: centre,
    multiplier,
    floor,
    season: fit.season,
    statistic: limit.statistic,
    points,
  };
  return { verdict: verdictIf(isBreaching), threshold: isHeld ? bounded(multiplier * centre, operator, floor) : threshold, origin };
}

/**
 * Versus an earlier window: more (`>`), less (`<`) or either way (`!=`). Of nothing no percentage can be taken: with a floor the value has to reach that
 * instead, without one nobody can say.
 */
function versusBefore(limit: Of<'change'>, operator: Operator, isHeld: boolean, value: number, answers: SeriesAnswers): Moving {
  const answer = answers.windows[limit.base] ?? 'failed';
  if (answer === 'failed') return FAILED;
  if (answer === 'not_ready') return notReady('warming');
  const base = answer.value;
  if (base === null || !Number.isFinite(base)) return notReady('base_missing');
  const { floor, versus } = limit;
  if (base === 0 && floor === null) return notReady('base_zero');
  const share = (isHeld ? (limit.recover ?? limit.percent) : limit.percent) / 100;
  const told = limit.percent / 100;
  const size = Math.abs(base);
  const percent = base === 0 ? null : ((value - base) / size) * 100;
  const origin: Origin = { kind: 'change', versus, base, percent, floor };
  const side = sideOf(operator, value, base);
  const sign = side.startsWith('>') ? 1 : -1;
  const threshold = bounded(base + sign * share * size, side, floor);
  const isBreaching = compare(value, side, threshold) && isWorthIt(base, side, floor);
  return { verdict: verdictIf(isBreaching), threshold: bounded(base + sign * told * size, side, floor), operator: side, origin };
}

function versusUsual(limit: Of<'anomaly'>, isHeld: boolean, value: number, answers: SeriesAnswers): Moving {
  const fit = answers.histories[limit.history] ?? 'failed';
  if (fit === 'failed') return FAILED;
  if (fit === 'not_ready') return notReady('warming');
  const expected = expectedAt(fit, answers.endMs);
  if (expected === null) return notReady('baseline_not_ready');
  const { centre, spread, points, testedError } = expected;
  const side = limit.direction === 'both' ? sideOf('!=', value, centre) : limit.direction === 'above' ? '>' : '<';
  const sign = side === '>' ? 1 : -1;
  const at = (scores: number): number => centre + sign * Math.max(scores * spread, limit.floor ?? 0);
  const threshold = at(isHeld ? (limit.recover ?? limit.score) : limit.score);
  const origin: Origin = {
    kind: 'anomaly',
    expected: centre,
    spread,
    score: scoreOf(value, centre, spread),
    method: fit.kind === 'seasonal' ? 'seasonal' : 'robust',
    points,
    testedError,
  };
  return { verdict: verdictIf(compare(value, side, threshold)), threshold: at(limit.score), operator: side, origin };
}

function foretold(limit: Of<'forecast'>, operator: Operator, now: number, answers: SeriesAnswers): Moving {
  const fit = answers.histories[limit.history] ?? 'failed';
  if (fit === 'failed') return FAILED;
  if (fit === 'not_ready') return notReady('warming');
  if (fit.kind !== 'trend') return notReady('forecast_not_ready');
  const { crosses, withinMs } = limit;
  const { value, crossesAtMs } = worstAhead(fit, operator, crosses, now, answers.endMs, withinMs);
  const origin: Origin = {
    kind: 'forecast',
    now,
    slopePerHour: fit.slopePerHour,
    withinMs,
    crossesAt: crossesAtMs === null ? null : timeText(crossesAtMs),
    confidence: fit.confidence,
    hours: fit.hours,
  };
  return { verdict: verdictIf(crossesAtMs !== null), threshold: crosses, value, origin };
}

/** Looked at every tenth of the time ahead, and every hour where a season may bend it. */
function worstAhead(
  fit: TrendFit,
  operator: Operator,
  crosses: number,
  now: number,
  atMs: EpochMs,
  withinMs: number,
): { value: number; crossesAtMs: EpochMs | null } {
  const stepMs = fit.season === null ? withinMs / 10 : Math.min(HOUR_MS, withinMs / 10);
  const isHighBad = operator.startsWith('>');
  let [worst, crossesAtMs] = [now, compare(now, operator, crosses) ? atMs : null];
  for (let aheadMs = stepMs; aheadMs <= withinMs; aheadMs += stepMs) {
    const value = now + trendChange(fit, atMs, atMs + aheadMs);
    if (isHighBad ? value > worst : value < worst) worst = value;
    if (crossesAtMs === null && compare(value, operator, crosses)) crossesAtMs = atMs + aheadMs;
  }
  return { value: worst, crossesAtMs };
}

function spent({ amount, percent, calendar }: Of<'budget'>, operator: Operator, value: number, endMs: EpochMs): Moving {
  const { fromMs, toMs } = periodAt(endMs - 1, calendar);
  const threshold = (amount * percent) / 100;
  const perMs = value / Math.max(1, endMs - fromMs);
  const overrunMs = perMs > 0 ? fromMs + amount / perMs : Infinity;
  const origin: Origin = {
    kind: 'budget',
    amount,
    step: percent,
    spent: (value / amount) * 100,
    periodFrom: timeText(fromMs),
    periodTo: timeText(toMs),
    overrunAt: overrunMs < toMs ? timeText(overrunMs) : null,
  };
  return { verdict: verdictIf(compare(value, operator, threshold)), threshold, origin };
}

type Of<Kind extends Limit['kind']> = Extract<Limit, { kind: Kind }>;

/** A floor keeps what is small from counting: much has to be more than it … */
const bounded = (threshold: number, operator: Operator, floor: number | null): number =>
  floor !== null && operator.startsWith('>') ? Math.max(threshold, floor) : threshold;

/** … and little has to be little of something that is at least as much. */
const isWorthIt = (usual: number, operator: Operator, floor: number | null): boolean =>
  floor === null || !operator.startsWith('<') || usual >= floor;

/** Which way a value went, for limits that look both ways. */
const sideOf = (operator: Operator, value: number, from: number): Operator => (operator === '!=' ? (value >= from ? '>' : '<') : operator);

const timeText = (atMs: EpochMs): string => new Date(atMs).toISOString();
