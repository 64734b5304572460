import type { MetricList } from '@tocsin/contracts';
import { namesOfMetricDefinitions, withTenant } from '@tocsin/db';
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

/** The event names seen so far with their fields, the metrics that need no definition, and those that have one. */
export const listMetrics = verb('metrics:read', async ({ ctx }: { ctx: Context; input: undefined }): Promise<MetricList> => {
  const [seen, defined] = await Promise.all([
    ctx.events.metricsSeen(ctx.tenantId),
    withTenant(ctx.db, ctx.tenantId, (tx) => namesOfMetricDefinitions(tx, ctx.tenantId)),
  ]);
  const data = seen.map(({ name, dims, measures, firstSeenMs, lastSeenMs, lag }) => ({
    name,
    dims: [...dims],
    measures: [...measures],
    firstSeenAt: timeText(firstSeenMs),
    lastSeenAt: timeText(lastSeenMs),
    lag: lag === null ? null : viewLag(lag),
  }));
  const definitions = defined.map(({ key, name, unit }) => ({ metric: key, title: name, unit, defaultAggregation: 'last' }));
  return { data, catalogue: CATALOGUE, definitions };
});

function viewLag(counts: LagCounts): { p50: number; p99: number } | null {
  const [p50, p99] = [lagWithin(0.5, counts), lagWithin(0.99, counts)];
  return p50 === null || p99 === null ? null : { p50, p99 };
}
