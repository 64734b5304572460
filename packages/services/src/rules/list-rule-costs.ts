import { type CostOfRule, ListRuleCosts, type Page } from '@tocsin/contracts';
import { type RuleCostRow, selectRuleCosts, withTenant } from '@tocsin/db';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { badCursor } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewCost } from './cost-view.ts';

/** The dearest first. Costs move, so that a rule may be met twice or not at all while somebody pages. */
export const listRuleCosts = verb(
  'rules:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<CostOfRule>> => {
    const { limit, cursor } = parse(ListRuleCosts, input.query, 'query');
    const after = cursor === undefined ? null : placeOf(cursor);
    const rows = await withTenant(ctx.db, ctx.tenantId, (tx) => selectRuleCosts(tx, ctx.tenantId, after, limit + 1));
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      data: shown.map((row) => ({ ruleId: row.ruleId, key: row.key, name: row.name, cost: viewCost(row) })),
      nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null,
    };
  },
);

const Place = z.tuple([z.number(), z.uuid()]);

const cursorOf = ({ ms, ruleId }: RuleCostRow): string => Buffer.from(JSON.stringify([ms, ruleId])).toString('base64url');

/** Throws a 422 when the cursor is none. */
function placeOf(cursor: string): { ms: number; ruleId: string } {
  try {
    const [ms, ruleId] = Place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { ms, ruleId };
  } catch {
    throw badCursor();
  }
}
