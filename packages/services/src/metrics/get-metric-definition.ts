import type { MetricDefinition } from '@tocsin/contracts';
import { findMetricDefinition, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { keyFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewMetricDefinition } from './metric-definition-view.ts';

export const getMetricDefinition = verb(
  'metrics:read',
  async ({ ctx, input }: { ctx: Context; input: { key: string } }): Promise<MetricDefinition> => {
    const row = await withTenant(ctx.db, ctx.tenantId, (tx) => findMetricDefinition(tx, ctx.tenantId, keyFrom(input.key)));
    if (row === null) throw notFound('metric definition');
    return viewMetricDefinition(row);
  },
);
