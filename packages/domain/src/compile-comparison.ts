import { AGGREGATION_FACTS } from './aggregations.ts';
import { isPeriod, PERIOD_MAX_MS, type PeriodWindow } from './period.ts';
import { compileQuery, metricLabel, unitOf, type QuerySpec } from './compile-query.ts';
import type { Comparison, HistoryInput, Level, Limit, WindowInput } from './compiled-rule.ts';
import { durationMs, formatDuration } from './duration.ts';
import type { HistoryKind } from './fit-model.ts';
import type { Operator } from './metric-query.ts';
import type { WorstSide } from './reading.ts';
import type { AbsenceSpec, ComparisonSpec, LeafSpec, QueryPartSpec, RatioSpec, RuleReferenceSpec, RuleStanding } from './rule-spec.ts';
import { SEVERITIES } from './severity.ts';
import { isBudget, isLevels, type LimitSpec, type ThresholdSpec, type Versus } from './threshold-spec.ts';

/** All that a rule has to read, each once. */
export interface Inputs {
  windows: WindowInput[];
  histories: HistoryInput[];
  references: { rule: string; is: RuleStanding }[];
}

interface Surroundings {
  groupBy: readonly string[];
  levels: readonly Level[];
  inputs: Inputs;
  isNegated: boolean;
}

export function compileLeaf(spec: LeafSpec, around: Surroundings): Comparison {
  if ('rule' in spec) return compileReference(spec, around);
  if ('absentFor' in spec) return compileAbsence(spec, around);
  if ('numerator' in spec) return compileRatio(spec, around);
  return spec.of === undefined ? compileComparison(spec, around) : compileSeverity(spec, spec.of, around);
}

function compileComparison(spec: ComparisonSpec, around: Surroundings): Comparison {
  const place = placeOf(spec, around);
  const window = addWindow(spec, place, around, 0, choiceOf(spec, around));
  return {
    value: { kind: 'query', window },
    metric: metricLabel(spec),
    aggregation: spec.aggregation,
    unit: unitOf(spec),
    ...compared(spec, spec, place, around),
  };
}

function compileRatio(spec: RatioSpec, around: Surroundings): Comparison {
  const place = placeOf(spec, around);
  const [numerator, denominator] = [spec.numerator, spec.denominator].map((part) => addWindow(part, place, around, 0, null)) as [
    number,
    number,
  ];
  return {
    value: { kind: 'ratio', numerator, denominator, scale: spec.unit === 'percent' ? 100 : 1, bound: spec.bound },
    metric: `${queryLabel(spec.numerator)} / ${queryLabel(spec.denominator)}`,
    aggregation: spec.numerator.aggregation,
    unit: spec.unit === 'percent' ? 'percent' : null,
    ...compared(spec, null, place, around),
  };
}

function compileSeverity(spec: ComparisonSpec, of: QueryPartSpec, around: Surroundings): Comparison {
  const place = placeOf(spec, around);
  const window = addWindow(of, place, around, 0, null);
  const history = addHistory(of, place, around, spec.lookback ?? '7d', 'day', { kind: 'robust', minSamples: spec.minSamples });
  return {
    value: { kind: 'anomaly_severity', window, history },
    metric: `anomaly severity of ${queryLabel(of)}`,
    aggregation: of.aggregation,
    unit: null,
    ...compared(spec, of, place, around),
  };
}

/** Silence: no event at all in the window. */
function compileAbsence(spec: AbsenceSpec, around: Surroundings): Comparison {
  const place: Place = { windowMs: durationMs(spec.absentFor), calendar: null, joinsEverySeries: false };
  const query: QueryPartSpec = { ...spec, aggregation: spec.dim === undefined ? 'count' : 'distinct' };
  const window = addWindow(query, place, around, 0, { worst: around.isNegated ? 'high' : 'low', threshold: 0, minSamples: 1 });
  return {
    value: { kind: 'absence', window },
    metric: queryLabel(query),
    aggregation: 'count',
    unit: 'events',
    windowMs: place.windowMs,
    operator: '==',
    limits: around.levels.map((): Limit => ({ kind: 'fixed', threshold: 0, recover: null })),
    minSamples: 1,
  };
}

function compileReference({ rule, is }: RuleReferenceSpec, { inputs, levels }: Surroundings): Comparison {
  inputs.references.push({ rule, is });
  return {
    value: { kind: 'rule', reference: inputs.references.length - 1 },
    metric: `rule ${rule} is ${is}`,
    aggregation: 'last',
    unit: null,
    windowMs: 0,
    operator: '==',
    limits: levels.map((): Limit => ({ kind: 'fixed', threshold: 1, recover: null })),
    minSamples: 1,
  };
}

/** Where the windows of one comparison lie. */
interface Place {
  windowMs: number;
  calendar: PeriodWindow | null;
  joinsEverySeries: boolean;
}

function placeOf(spec: Pick<ComparisonSpec, 'window' | 'timeZone' | 'groupBy'>, { groupBy }: Surroundings): Place {
  const joinsEverySeries = groupBy.length > 0 && spec.groupBy !== undefined;
  if (!isPeriod(spec.window)) return { windowMs: durationMs(spec.window), calendar: null, joinsEverySeries };
  const calendar = { period: spec.window, timeZone: spec.timeZone ?? 'UTC' };
  return { windowMs: PERIOD_MAX_MS[spec.window], calendar, joinsEverySeries };
}

/** What is compared, in the words that all comparisons share. `past` is the query whose past counts; null where a ratio has none. */
function compared(
  spec: Pick<ComparisonSpec, 'operator' | 'threshold' | 'recover' | 'minSamples'>,
  past: QueryPartSpec | null,
  place: Place,
  around: Surroundings,
): Pick<Comparison, 'windowMs' | 'operator' | 'limits' | 'minSamples'> {
  const { operator, minSamples } = spec;
  const limits = around.levels.map((level) => {
    const written = limitAt(spec.threshold, level);
    if (written === null) return null;
    if (typeof written === 'object' && 'step' in written) {
      return {
        kind: 'budget' as const,
        amount: written.amount,
        percent: written.step,
        calendar: place.calendar ?? { period: 'month' as const, timeZone: 'UTC' },
      };
    }
    return compileLimit(written, recoverAt(spec.recover, level), past, place, around, minSamples);
  });
  return { windowMs: place.windowMs, operator, limits, minSamples };
}

/** The limit of a level: its own, else that of the next milder one that is named. A plain threshold is the same at each. */
function limitAt(threshold: ThresholdSpec, { severity, rank }: Level): LimitSpec | { amount: number; step: number } | null {
  if (isBudget(threshold)) return { amount: threshold.budget.amount, step: rank };
  if (!isLevels(threshold)) return threshold;
  const milder = SEVERITIES.slice(0, SEVERITIES.indexOf(severity) + 1).toReversed();
  const named = milder.find((each) => threshold[each] !== undefined);
  return named === undefined ? null : (threshold[named] ?? null);
}

const recoverAt = (recover: ComparisonSpec['recover'], { severity }: Level): number | null =>
  (typeof recover === 'object' ? recover[severity] : recover) ?? null;

function compileLimit(
  spec: LimitSpec,
  recover: number | null,
  past: QueryPartSpec | null,
  place: Place,
  around: Surroundings,
  minSamples: number,
): Limit {
  if (typeof spec === 'number') return { kind: 'fixed', threshold: spec, recover };
  if (past === null) throw new Error('a ratio has no past');
  if ('baseline' in spec) {
    const { multiplier, lookback, floor = null, season, statistic, recover: own = null } = spec.baseline;
    const history = addHistory(past, place, around, lookback, 'day', { kind: 'baseline', season, statistic, minSamples });
    return { kind: 'baseline', history, multiplier, floor, statistic, recover: own };
  }
  if ('change' in spec) {
    const { percent, versus, floor = null, recover: own = null } = spec.change;
    const base = addWindow(past, place, around, backMs(versus, place), null);
    return { kind: 'change', base, versus, percent, floor, recover: own };
  }
  if ('anomaly' in spec) {
    const { score, lookback, direction, method, floor = null, recover: own = null } = spec.anomaly;
    const history = addHistory(past, place, around, lookback, 'day', { kind: method, minSamples });
    return { kind: 'anomaly', history, score, direction, floor, recover: own };
  }
  const { crosses, within, lookback } = spec.forecast;
  const history = addHistory(past, place, around, lookback, 'hour', { kind: 'trend', minSamples });
  return { kind: 'forecast', history, crosses, withinMs: durationMs(within) };
}

const backMs = (versus: Versus, { windowMs }: Place): number => (versus === 'previous' ? windowMs : durationMs(versus));

function addWindow(
  part: QueryPartSpec,
  place: Place,
  { groupBy, inputs }: Surroundings,
  back: number,
  choice: WindowInput['choice'],
): number {
  const { calendar, joinsEverySeries } = place;
  return add(inputs.windows, {
    query: queryOf(part, place, groupBy),
    backMs: back,
    calendar,
    joinsEverySeries,
    choice: joinsEverySeries ? null : choice,
  });
}

function addHistory(
  part: QueryPartSpec,
  place: Place,
  { groupBy, inputs }: Surroundings,
  lookback: string,
  refresh: HistoryInput['refresh'],
  model: HistoryKind,
): number {
  const query = queryOf(part, place, groupBy);
  const { emptyValue } = AGGREGATION_FACTS[query.aggregation];
  return add(inputs.histories, {
    query,
    lookbackMs: durationMs(lookback),
    refresh,
    model: { ...model, emptyValue },
    joinsEverySeries: place.joinsEverySeries,
  });
}

/** Its place, new or, where the same is there already, that one's. */
function add<Input>(inputs: Input[], input: Input): number {
  const json = JSON.stringify(input);
  const same = inputs.findIndex((each) => JSON.stringify(each) === json);
  return same >= 0 ? same : inputs.push(input) - 1;
}

function queryOf(part: QueryPartSpec, { windowMs, joinsEverySeries }: Place, groupBy: readonly string[]) {
  const spec: QuerySpec = { ...part, window: formatDuration(windowMs) };
  return compileQuery(spec, joinsEverySeries ? [] : groupBy);
}

/** Where there are too many series, a limit that moves cannot choose among them: then the largest, or smallest, values are the worst. */
function choiceOf({ operator, threshold, minSamples }: ComparisonSpec, { groupBy, isNegated }: Surroundings): WindowInput['choice'] {
  if (groupBy.length === 0) return null;
  const worst = isNegated ? OPPOSITE[WORST[operator]] : WORST[operator];
  const fixed = typeof threshold === 'number' ? threshold : 0;
  return { worst, threshold: fixed, minSamples };
}

const WORST: Readonly<Record<Operator, WorstSide>> = { '>': 'high', '>=': 'high', '<': 'low', '<=': 'low', '==': 'near', '!=': 'far' };
const OPPOSITE: Readonly<Record<WorstSide, WorstSide>> = { high: 'low', low: 'high', near: 'far', far: 'near' };

const queryLabel = (part: QueryPartSpec): string => {
  const label = metricLabel({ ...part, window: '' });
  return part.name === undefined ? label : label === 'events' ? part.name : `${label} of ${part.name}`;
};
