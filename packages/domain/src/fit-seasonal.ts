import type { EpochMs } from './clock.ts';
import { DAY_MS, HOUR_MS, hourly, knownMs, type Expected, type NotReady, type Point } from './history-points.ts';
import { mean, median, robustSpread } from './statistics.ts';

/** A level, a slope and the hours of a day that belong to it, as they were at `atMs`; hours after it are foretold from them. */
export interface SeasonalFit {
  kind: 'seasonal';
  atMs: EpochMs;
  level: number;
  slopePerHour: number;
  /** By hour of the day, UTC. */
  season: number[];
  /** How far its foretelling was off, as a standard deviation. */
  spread: number;
  /** Mean absolute error on the last day of the past, which it was not trained on. */
  testedError: number;
  testedHours: number;
  points: number;
}

/** Three days to learn from and one to be tried on. */
export const SEASONAL_LEAST_MS = 4 * DAY_MS;

const HOURS = 24;
/** How quickly what is new takes over: of the level, the slope and the season. The best of them on the day held back is taken. */
const ALPHAS = [0.05, 0.2, 0.5];
const BETAS = [0, 0.02, 0.1];
const GAMMAS = [0.05, 0.2, 0.5];
/** A slope foretold for many hours runs away; each hour ahead it counts for less (Gardner and McKenzie, “Forecasting Trends in Time Series”, 1985). */
const DAMPING = 0.9;
/** Of the largest value: a smaller spread is what floating point leaves behind, and would make the same value look far away. */
const SPREAD_LEAST = 1e-9;

interface State {
  level: number;
  slope: number;
  season: number[];
}

/**
 * Additive Holt-Winters over hourly values with a season of a day (Winters, “Forecasting Sales by Exponentially Weighted Moving Averages”, 1960),
 * its slope damped. The last day is held back to choose the weights and to say how far it is off; then all of the past is taken in.
 */
export function fitSeasonal(points: readonly Point[], toMs: EpochMs): SeasonalFit | NotReady {
  const hours = filled(hourly(points), toMs);
  if (hours === null || hours.values.length * HOUR_MS < SEASONAL_LEAST_MS) {
    return { kind: 'not_ready', knownMs: knownMs(points, toMs), neededMs: SEASONAL_LEAST_MS };
  }
  const { firstHour, values } = hours;
  const trainedHours = values.length - HOURS;
  let best: { errors: number[]; off: number; weights: readonly [number, number, number] } | null = null;
  for (const alpha of ALPHAS) {
    for (const beta of BETAS) {
      for (const gamma of GAMMAS) {
        const weights = [alpha, beta, gamma] as const;
        const state = begin(values.slice(0, trainedHours), firstHour);
        for (let at = 0; at < trainedHours; at++) takeIn(state, values[at]!, firstHour + at, weights);
        const errors = Array.from(
          { length: HOURS },
          (_, ahead) => values[trainedHours + ahead]! - foretell(state, firstHour + trainedHours + ahead, ahead + 1),
        );
        const off = mean(errors.map(Math.abs));
        if (best === null || off < best.off) best = { errors, off, weights };
      }
    }
  }
  const state = begin(values, firstHour);
  for (let at = 0; at < values.length; at++) takeIn(state, values[at]!, firstHour + at, best!.weights);
  // Windows of minutes spread more widely than the hours the model is made of.
  const within = points.map(({ atMs, value }) => value - (values[Math.ceil(atMs / HOUR_MS) - 1 - firstHour] ?? value));
  const spread = Math.hypot(robustSpread(best!.errors, 0), robustSpread(within, 0));
  const resolution = SPREAD_LEAST * Math.max(...values.map(Math.abs));
  return {
    kind: 'seasonal',
    atMs: (firstHour + values.length) * HOUR_MS,
    level: state.level,
    slopePerHour: state.slope,
    season: state.season,
    spread: spread === 0 ? 0 : Math.max(spread, resolution),
    testedError: best!.off,
    testedHours: HOURS,
    points: points.length,
  };
}

export function seasonalAt(fit: SeasonalFit, atMs: EpochMs): Expected {
  const hour = Math.floor((atMs - 1) / HOUR_MS);
  const ahead = Math.max(1, hour - fit.atMs / HOUR_MS + 1);
  const centre = foretell({ level: fit.level, slope: fit.slopePerHour, season: fit.season }, hour, ahead);
  return { centre, spread: fit.spread, points: fit.points, testedError: fit.testedError };
}

/** Hours without a value take that of the day before; null: nothing is known. The first is a whole day's begin at the earliest. */
function filled(points: readonly Point[], toMs: EpochMs): { firstHour: number; values: number[] } | null {
  const [first] = points;
  if (first === undefined) return null;
  const firstHour = Math.ceil(first.atMs / HOUR_MS) - 1;
  const byHour = new Map(points.map(({ atMs, value }) => [Math.ceil(atMs / HOUR_MS) - 1, value]));
  const values: number[] = [];
  for (let hour = firstHour; hour < Math.floor(toMs / HOUR_MS); hour++) {
    values.push(byHour.get(hour) ?? values[values.length - HOURS] ?? values.at(-1)!);
  }
  return { firstHour, values };
}

function begin(values: readonly number[], firstHour: number): State {
  const dayMeans = Array.from({ length: Math.floor(values.length / HOURS) }, (_, day) =>
    mean(values.slice(day * HOURS, (day + 1) * HOURS)),
  );
  const slope = median(dayMeans.slice(1).map((dayMean, day) => dayMean - dayMeans[day]!)) / HOURS;
  const season = Array.from({ length: HOURS }, () => 0);
  for (let hour = 0; hour < HOURS; hour++) {
    // What a day grows by itself is no season of it.
    const grown = slope * (hour - (HOURS - 1) / 2);
    season[hourOfDay(firstHour + hour)] = mean(dayMeans.map((dayMean, day) => values[day * HOURS + hour]! - dayMean)) - grown;
  }
  return { level: dayMeans[0]! - (slope * (HOURS + 1)) / 2, slope, season };
}

function takeIn(state: State, value: number, hour: number, [alpha, beta, gamma]: readonly [number, number, number]): void {
  const at = hourOfDay(hour);
  const season = state.season[at]!;
  // By its error, so that what is foretold exactly changes nothing, not even by what floating point leaves behind.
  const error = value - (state.level + DAMPING * state.slope + season);
  state.level += DAMPING * state.slope + alpha * error;
  state.slope = DAMPING * state.slope + alpha * beta * error;
  state.season[at] = season + gamma * (value - state.level - season);
}

function foretell({ level, slope, season }: State, hour: number, ahead: number): number {
  return level + (slope * DAMPING * (1 - DAMPING ** ahead)) / (1 - DAMPING) + season[hourOfDay(hour)]!;
}

const HOURS_OF_DAY = DAY_MS / HOUR_MS;
const hourOfDay = (hour: number): number => ((hour % HOURS_OF_DAY) + HOURS_OF_DAY) % HOURS_OF_DAY;
