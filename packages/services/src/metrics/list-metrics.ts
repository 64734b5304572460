import type { MetricList } from '@tocsin/contracts';
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

/** The event names seen so far with their fields, and the metrics that need no definition. */
export const listMetrics = verb('metrics:read', async ({ ctx }: { ctx: Context; input: undefined }): Promise<MetricList> => {
  const seen = await ctx.events.metricsSeen(ctx.tenantId);
  const data = seen.map(({ name, dims, measures, firstSeenMs, lastSeenMs }) => ({
    name,
    dims: [...dims],
    measures: [...measures],
    firstSeenAt: timeText(firstSeenMs),
    lastSeenAt: timeText(lastSeenMs),
  }));
  return { data, catalogue: CATALOGUE };
});
