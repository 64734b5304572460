import { ListRulesOfMetric, type Page, type ShownRule } from '@tocsin/contracts';
import { findMetricDefinition, selectRules, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { keyFrom, parse } from '../parse.ts';
import { viewRules } from '../rules/rule-view.ts';
import { verb } from '../verb.ts';

interface Input {
  key: string;
  query: unknown;
}

/** The rules that look at a saved metric, newest first. */
export const listRulesOfMetric = verb('rules:read', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Page<ShownRule>> => {
  const { limit, cursor } = parse(ListRulesOfMetric, input.query, 'query');
  const everyRule = { enabled: null, severity: null, state: null, health: null, search: null };
  const filter = { ...everyRule, beforeId: idOfCursor(cursor), limit: limit + 1 };
  return withTenant(ctx.db, ctx.tenantId, async (tx) => {
    const definition = await findMetricDefinition(tx, ctx.tenantId, keyFrom(input.key));
    if (definition === null) throw notFound('metric definition');
    const rows = await selectRules(tx, ctx.tenantId, { ...filter, savedMetric: definition.key });
    const page = pageOfRows(rows, limit, (row) => row);
    return { ...page, data: await viewRules(tx, ctx.tenantId, page.data) };
  });
});
