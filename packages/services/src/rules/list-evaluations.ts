import { type Evaluation, ListEvaluations, type Page } from '@tocsin/contracts';
import { findRule, withTenant } from '@tocsin/db';
import { isEvaluationCursor } from '@tocsin/events';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { badCursor } from '../page.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewEvaluation } from './evaluation-view.ts';

interface Input {
  id: string;
  query: unknown;
}

/** Every look at the rule, newest slot first: what was found, and why it ended as it did. */
export const listEvaluations = verb('rules:read', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Page<Evaluation>> => {
  const id = idFrom(input.id, 'rule');
  const { limit, cursor, from: fromMs, to: toMs } = parse(ListEvaluations, input.query, 'query');
  if (cursor !== undefined && !isEvaluationCursor(cursor)) throw badCursor();
  const rule = await withTenant(ctx.db, ctx.tenantId, (tx) => findRule(tx, ctx.tenantId, { id }));
  if (rule === null) throw notFound('rule');
  const { rows, nextCursor } = await ctx.events.readEvaluations(ctx.tenantId, id, { fromMs, toMs, limit, cursor });
  return { data: rows.map(viewEvaluation), nextCursor };
});
