import { type MetricRange, QueryMetrics } from '@tocsin/contracts';
import { parseDuration, parseMetricQuery } from '@tocsin/domain';
import { TooManySeries } from '@tocsin/events';
import { AppError, invalid } from '../app-error.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';
import { knownMetrics, parseKnowing } from './known-metrics.ts';

const POINTS_MAX = 1_500;
const STEP_MIN_MS = 1_000;

interface Input {
  body: unknown;
  signal: AbortSignal;
}

/** Reads a metric as a rule would, at every step of a range. */
export const queryMetrics = verb('metrics:read', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<MetricRange> => {
  const { from: fromMs, to: toMs, step, ...words } = parse(QueryMetrics, input.body);
  const stepMs = stepOf(step, fromMs, toMs);
  const parsed = await parseKnowing(knownMetrics(ctx), (saved) => parseMetricQuery(words, boundsOf(ctx).rule, saved));
  if (!parsed.ok) throw invalid(parsed.issues);
  const range = ctx.events.queryRange(ctx.tenantId, parsed.query, { fromMs, toMs, stepMs }, input.signal);
  const { series, dropped, basis } = await range.catch((error: unknown) => {
    throw error instanceof TooManySeries ? new AppError('bound_exceeded', `Too much at once: ${error.message}.`, { cause: error }) : error;
  });
  return {
    series: series.map(({ labels, points }) => ({
      labels: { ...labels },
      points: points.map(({ atMs, value, samples }) => ({ at: timeText(atMs), value, samples })),
    })),
    unit: parsed.unit,
    dropped,
    basis,
  };
});

function stepOf(step: string, fromMs: number, toMs: number): number {
  const stepMs = parseDuration(step);
  if (stepMs === null || stepMs < STEP_MIN_MS) {
    throw invalid([{ pointer: '/step', code: 'bad_duration', message: 'must be a duration of at least 1s, such as 30s or 5m' }]);
  }
  if (toMs <= fromMs) throw invalid([{ pointer: '/to', code: 'out_of_range', message: 'must be after `from`' }]);
  if ((toMs - fromMs) / stepMs > POINTS_MAX) {
    throw invalid([
      { pointer: '/step', code: 'too_many', message: `gives more than ${POINTS_MAX} points; take a longer step or a shorter range` },
    ]);
  }
  return stepMs;
}
