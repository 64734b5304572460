import type { MetricList } from '@tocsin/contracts';
import { namesOfMetricDefinitions, withTenant } from '@tocsin/db';
import { METRICS } from '@tocsin/domain';
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
  const data = seen.map(({ name, dims, measures, firstSeenMs, lastSeenMs }) => ({
    name,
    dims: [...dims],
    measures: [...measures],
    firstSeenAt: timeText(firstSeenMs),
    lastSeenAt: timeText(lastSeenMs),
  }));
  const definitions = defined.map(({ key, name, unit }) => ({ metric: key, title: name, unit, defaultAggregation: 'last' }));
  return { data, catalogue: CATALOGUE, definitions };
});
