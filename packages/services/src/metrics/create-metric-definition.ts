import type { MetricDefinition } from '@tocsin/contracts';
import { countMetricDefinitions, insertMetricDefinition, newId } from '@tocsin/db';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { verb } from '../verb.ts';
import { knownMetrics } from './known-metrics.ts';
import { viewMetricDefinition } from './metric-definition-view.ts';
import { readDefinitionBody } from './read-definition-body.ts';

const DEFINITIONS_PER_TENANT = 1_000;

export const createMetricDefinition = verb(
  'metrics:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<MetricDefinition> => {
    const { definition, enabled } = await readDefinitionBody(input.body, boundsOf(ctx).rule, knownMetrics(ctx));
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      const row = await insertMetricDefinition(tx, { ...definition, tenantId, id: newId(), enabled: enabled ?? true, actor });
      if (row === null) throw new AppError('key_taken', `There is a metric definition with the key '${definition.key}' already.`);
      if ((await countMetricDefinitions(tx, tenantId)) > DEFINITIONS_PER_TENANT)
        throw new AppError('bound_exceeded', `A tenant has at most ${DEFINITIONS_PER_TENANT} metric definitions.`);
      await audit(tx, ctx, 'metric.created', row.id, { key: row.key, enabled: row.enabled });
      return viewMetricDefinition(row);
    });
  },
);
