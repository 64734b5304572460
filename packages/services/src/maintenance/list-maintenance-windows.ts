import { ListMaintenanceWindows, type MaintenanceWindow, type Page } from '@tocsin/contracts';
import { databaseNow, selectMaintenanceWindows, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewMaintenanceWindow } from './window-view.ts';

export const listMaintenanceWindows = verb(
  'maintenance:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<MaintenanceWindow>> => {
    const { limit, cursor } = parse(ListMaintenanceWindows, input.query, 'query');
    const filter = { beforeId: idOfCursor(cursor), limit: limit + 1 };
    return withTenant(ctx.db, ctx.tenantId, async (tx) => {
      const nowMs = await databaseNow(tx);
      return pageOfRows(await selectMaintenanceWindows(tx, ctx.tenantId, filter), limit, (row) => viewMaintenanceWindow(row, nowMs));
    });
  },
);
