import { AGGREGATION_FACTS } from './aggregations.ts';
import { isPeriod } from './period.ts';
import { isMetricName, METRICS } from './catalogue.ts';
import { metricLabel, unitOf } from './compile-query.ts';
import { COMPARED, describeTest } from './describe-test.ts';
import { formatValue } from './format-value.ts';
import { listed } from './listed.ts';
import type { Operator } from './metric-query.ts';
import type { AbsenceSpec, ComparisonSpec, LeafSpec, QueryPartSpec, RatioSpec } from './rule-spec.ts';
import { SEVERITIES } from './severity.ts';
import { isBudget, isLevels, type LimitSpec } from './threshold-spec.ts';

export function describeLeaf(spec: LeafSpec): string {
  if ('rule' in spec) return `rule ${spec.rule} is ${spec.is === 'no_data' ? 'without data' : spec.is}`;
  if ('absentFor' in spec) return describeAbsence(spec);
  if ('numerator' in spec) return describeRatio(spec);
  const looked = spec.of === undefined ? describeQuery(spec) : `the anomaly severity of ${describeQuery(spec.of)}`;
  const unit = unitOf({ ...spec, window: '' });
  return compared(looked, spec, unit === 'events' ? null : unit);
}

function describeRatio(spec: RatioSpec): string {
  const bound = spec.bound === 'wilson95' ? ' (certain to 95 %)' : '';
  const looked = `the share of ${describeQuery(spec.numerator)} in ${describeQuery(spec.denominator)}${bound}`;
  return compared(looked, spec, spec.unit === 'percent' ? 'percent' : null);
}

function describeAbsence({ absentFor, ...query }: AbsenceSpec): string {
  const looked = describeQuery({ ...query, aggregation: query.dim === undefined ? 'count' : 'distinct' });
  return `${looked} is 0 for ${absentFor}`;
}

function compared(looked: string, spec: ComparisonSpec | RatioSpec, unit: string | null): string {
  return [
    looked,
    thresholdWords(spec, unit),
    isPeriod(spec.window) ? `in the ${spec.window} (${spec.timeZone ?? 'UTC'})` : `over ${spec.window}`,
    ...(spec.minSamples > 1 ? [`(at least ${spec.minSamples} samples)`] : []),
  ].join(' ');
}

function thresholdWords({ operator, threshold }: ComparisonSpec | RatioSpec, unit: string | null): string {
  if (isBudget(threshold)) {
    const steps = threshold.budget.steps.map((step) => `${step} %`);
    return `reaches ${listed(steps, 'or')} of ${formatValue(threshold.budget.amount, unit)}`;
  }
  if (!isLevels(threshold)) return limitWords(operator, threshold, unit);
  const levels = SEVERITIES.flatMap((severity) => {
    const limit = threshold[severity];
    return limit === undefined ? [] : [{ severity, limit }];
  });
  if (levels.every(({ limit }) => typeof limit === 'number'))
    return `${COMPARED[operator]} ${levels.map(({ severity, limit }) => `${formatValue(Number(limit), unit)} (${severity})`).join(' or ')}`;
  return levels.map(({ severity, limit }) => `${limitWords(operator, limit, unit)} (${severity})`).join(' or ');
}

function limitWords(operator: Operator, limit: LimitSpec, unit: string | null): string {
  const value = (number: number): string => formatValue(number, unit);
  const isLow = operator.startsWith('<');
  if (typeof limit === 'number') return `${COMPARED[operator]} ${value(limit)}`;
  if ('baseline' in limit) {
    const { multiplier, lookback, floor, season, statistic } = limit.baseline;
    const hours = { hourOfDay: 'the same hour of the day', hourOfWeek: 'the same hour of the week', none: 'all hours' }[season];
    const least = floor === undefined ? '' : isLow ? `, where that is at least ${value(floor)}` : `, and at least ${value(floor)}`;
    return `${COMPARED[operator]} ${multiplier} × its ${statistic === 'avg' ? 'average' : 'median'} at ${hours} in ${lookback}${least},`;
  }
  if ('change' in limit) {
    const { percent, versus, floor } = limit.change;
    const how = operator === '!=' ? 'differs' : isLow ? 'is lower' : 'is higher';
    const least = floor === undefined ? '' : isLow ? `, where that is at least ${value(floor)}` : `, and at least ${value(floor)}`;
    return `${how} by more than ${percent} % than ${versus === 'previous' ? 'in the window before' : `${versus} before`}${least},`;
  }
  if ('anomaly' in limit) {
    const { score, lookback, direction, method, floor } = limit.anomaly;
    const where = direction === 'both' ? 'away from' : direction;
    const least = floor === undefined ? '' : `, and at least ${value(floor)} off`;
    const model = method === 'seasonal' ? 'what a seasonal model of' : 'what is usual at that hour in';
    return `is more than ${score} spreads ${where} ${model} ${lookback}${method === 'seasonal' ? ' expects' : ''}${least},`;
  }
  const { crosses, within, lookback } = limit.forecast;
  return `${COMPARED[operator]} ${value(crosses)} within ${within} if the trend of ${lookback} goes on,`;
}

function describeQuery(spec: QueryPartSpec): string {
  const where = Object.entries(spec.where ?? {}).map(([field, test]) => describeTest(field, test));
  return [
    subjectWords(spec),
    ...(spec.name === undefined ? [] : [`of ${spec.name}`]),
    ...(where.length === 0 ? [] : [`where ${where.join(' and ')}`]),
  ].join(' ');
}

function subjectWords(spec: QueryPartSpec): string {
  const { metric, aggregation } = spec;
  const title = metric !== undefined && isMetricName(metric) ? METRICS[metric].title : metricLabel({ ...spec, window: '' });
  if (metric === 'throughput') return aggregation === 'count' || aggregation === 'sum' ? 'the number of events' : 'throughput';
  const { said } = AGGREGATION_FACTS[aggregation];
  if (metric === 'error_rate' || metric === 'timeout_rate') {
    const events = metric === 'error_rate' ? 'failed events' : 'timed-out events';
    return aggregation === 'avg' ? title : `${said} ${events}`;
  }
  if (aggregation === 'count' || aggregation === 'rate') return `${said} events${title === 'events' ? '' : ` with ${title}`}`;
  return `${said} ${title}`;
}
