import type { MaintenanceWindow } from '@tocsin/contracts';
import { databaseNow, findMaintenanceWindow, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewMaintenanceWindow } from './window-view.ts';

export const getMaintenanceWindow = verb(
  'maintenance:read',
  async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<MaintenanceWindow> => {
    const id = idFrom(input.id, 'maintenance window');
    return withTenant(ctx.db, ctx.tenantId, async (tx) => {
      const row = await findMaintenanceWindow(tx, ctx.tenantId, id);
      if (row === null) throw notFound('maintenance window');
      return viewMaintenanceWindow(row, await databaseNow(tx));
    });
  },
);
