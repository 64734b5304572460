import { type Drill, ListDrills, type Page } from '@tocsin/contracts';
import { findDrill, readDrillStages, selectDrills, withTenant, type DrillRow, type DrizzleTx } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewDrill } from './drill-view.ts';

export const getDrill = verb('channels:read', async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<Drill> => {
  const id = idFrom(input.id, 'drill');
  return withTenant(ctx.db, ctx.tenantId, async (tx) => {
    const row = await findDrill(tx, ctx.tenantId, id);
    if (row === null) throw notFound('drill');
    return viewNow(tx, row);
  });
});

export const listDrills = verb(
  'channels:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Drill>> => {
    const { limit, cursor } = parse(ListDrills, input.query, 'query');
    return withTenant(ctx.db, ctx.tenantId, async (tx) => {
      const page = pageOfRows(
        await selectDrills(tx, ctx.tenantId, { beforeId: idOfCursor(cursor), limit: limit + 1 }),
        limit,
        (row) => row,
      );
      const data: Drill[] = [];
      for (const row of page.data) data.push(await viewNow(tx, row));
      return { data, nextCursor: page.nextCursor };
    });
  },
);

const viewNow = async (tx: DrizzleTx, row: DrillRow): Promise<Drill> => viewDrill(row, row.report ?? (await readDrillStages(tx, row)));
