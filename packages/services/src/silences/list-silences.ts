import { ListSilences, type Page, type Silence } from '@tocsin/contracts';
import { databaseNow, selectSilences, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewSilence } from './silence-view.ts';

export const listSilences = verb(
  'silences:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Silence>> => {
    const { limit, cursor, status } = parse(ListSilences, input.query, 'query');
    const filter = { beforeId: idOfCursor(cursor), limit: limit + 1, status: status ?? null };
    return withTenant(ctx.db, ctx.tenantId, async (tx) => {
      const nowMs = await databaseNow(tx);
      return pageOfRows(await selectSilences(tx, ctx.tenantId, filter), limit, (row) => viewSilence(row, nowMs));
    });
  },
);
