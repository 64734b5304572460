import { type Evaluation, ListEvaluations, type Page } from '@tocsin/contracts';
import { findRule, withTenant } from '@tocsin/db';
import { isEvaluationCursor } from '@tocsin/events';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import type { Column } from '../export/csv.ts';
import { type Download, download } from '../export/download.ts';
import { badCursor } from '../page.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewEvaluation } from './evaluation-view.ts';

interface Input {
  id: string;
  query: unknown;
}

/** Every look at the rule, newest slot first: what was found, and why it ended as it did. */
export const listEvaluations = verb(
  'rules:read',
  async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Page<Evaluation> | Download> => {
    const id = idFrom(input.id, 'rule');
    const { format, limit, cursor, from: fromMs, to: toMs } = parse(ListEvaluations, input.query, 'query');
    if (cursor !== undefined && !isEvaluationCursor(cursor)) throw badCursor();
    const rule = await withTenant(ctx.db, ctx.tenantId, (tx) => findRule(tx, ctx.tenantId, { id }));
    if (rule === null) throw notFound('rule');
    const page = async (after: string | undefined, atMost: number): Promise<Page<Evaluation>> => {
      const { rows, nextCursor } = await ctx.events.readEvaluations(ctx.tenantId, id, { fromMs, toMs, limit: atMost, cursor: after });
      return { data: rows.map(viewEvaluation), nextCursor };
    };
    return format === undefined ? page(cursor, limit) : download(format, 'evaluations', COLUMNS, page, cursor);
  },
);

const COLUMNS: readonly Column<Evaluation>[] = [
  ['runId', ({ runId }) => runId],
  ['slot', ({ slot }) => slot],
  ['evaluatedAt', ({ evaluatedAt }) => evaluatedAt],
  ['series', ({ series }) => JSON.stringify(series)],
  ['outcome', ({ outcome }) => outcome],
  ['reason', ({ reason }) => reason],
  ['triggered', ({ triggered }) => triggered],
  ['severity', ({ severity }) => severity],
  ['value', ({ value }) => value],
  ['operator', ({ operator }) => operator],
  ['threshold', ({ threshold }) => threshold],
  ['samples', ({ samples }) => samples],
  ['windowStart', ({ windowStart }) => windowStart],
  ['windowEnd', ({ windowEnd }) => windowEnd],
  ['durationMs', ({ durationMs }) => durationMs],
  ['why', ({ why }) => why],
  ['ruleVersion', ({ ruleVersion }) => ruleVersion],
];
