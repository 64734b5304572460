import type { MetricList } from '@tocsin/contracts';
import { type LagCounts, lagWithin, METRICS } from '@tocsin/domain';
import type { Context } from '../context.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';

const CATALOGUE = Object.entries(METRICS).map(([metric, { title, unit, defaultAggregation }]) => ({
  metric,
  title,
  unit,
  defaultAggregation,
}));

/** The event names seen so far with their fields, and the metrics that need no definition. */
export const listMetrics = verb('metrics:read', async ({ ctx }: { ctx: Context; input: undefined }): Promise<MetricList> => {
  const seen = await ctx.events.metricsSeen(ctx.tenantId);
  const data = seen.map(({ name, dims, measures, firstSeenMs, lastSeenMs, lag }) => ({
    name,
    dims: [...dims],
    measures: [...measures],
    firstSeenAt: timeText(firstSeenMs),
    lastSeenAt: timeText(lastSeenMs),
    lag: lag === null ? null : viewLag(lag),
  }));
  return { data, catalogue: CATALOGUE };
});

function viewLag(counts: LagCounts): { p50: number; p99: number } | null {
  const [p50, p99] = [lagWithin(0.5, counts), lagWithin(0.99, counts)];
  return p50 === null || p99 === null ? null : { p50, p99 };
}
