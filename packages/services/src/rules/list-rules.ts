import { ListRules, type Page, type ShownRule } from '@tocsin/contracts';
import { selectRules, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewRules } from './rule-view.ts';

/** Newest first. */
export const listRules = verb(
  'rules:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<ShownRule>> => {
    const { limit, cursor, enabled, severity, state, health, search } = parse(ListRules, input.query, 'query');
    const filter = {
      beforeId: idOfCursor(cursor),
      limit: limit + 1,
      enabled: enabled === undefined ? null : enabled === 'true',
      severity: severity ?? null,
      state: state ?? null,
      health: health ?? null,
      search: search ?? null,
    };
    return withTenant(ctx.db, ctx.tenantId, async (tx) => {
      const rows = await selectRules(tx, ctx.tenantId, filter);
      const page = pageOfRows(rows, limit, (row) => row);
      return { ...page, data: await viewRules(tx, ctx.tenantId, page.data) };
    });
  },
);
