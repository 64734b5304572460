import { ListMetricDefinitions, type MetricDefinition, type Page } from '@tocsin/contracts';
import { selectMetricDefinitions, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewMetricDefinition } from './metric-definition-view.ts';

/** Newest first. */
export const listMetricDefinitions = verb(
  'metrics:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<MetricDefinition>> => {
    const { limit, cursor } = parse(ListMetricDefinitions, input.query, 'query');
    const from = { beforeId: idOfCursor(cursor), limit: limit + 1 };
    const rows = await withTenant(ctx.db, ctx.tenantId, (tx) => selectMetricDefinitions(tx, ctx.tenantId, from));
    return pageOfRows(rows, limit, viewMetricDefinition);
  },
);
