import type { MaintenanceWindow } from '@tocsin/contracts';
import { countMaintenanceWindows, databaseNow, insertMaintenanceWindow, newId } from '@tocsin/db';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { verb } from '../verb.ts';
import { readWindowBody } from './read-window-body.ts';
import { viewMaintenanceWindow } from './window-view.ts';

const WINDOWS_MAX = 200;

export const createMaintenanceWindow = verb(
  'maintenance:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<MaintenanceWindow> => {
    const settings = readWindowBody(input.body);
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      if ((await countMaintenanceWindows(tx, tenantId)) >= WINDOWS_MAX)
        throw new AppError('bound_exceeded', `A tenant may have ${WINDOWS_MAX} maintenance windows.`);
      const row = await insertMaintenanceWindow(tx, { ...settings, tenantId, id: newId(), actor });
      const { name, timeZone, start, matchers } = settings;
      await audit(tx, ctx, 'maintenance_window.created', row.id, { name, timeZone, start, matchers });
      return viewMaintenanceWindow(row, await databaseNow(tx));
    });
  },
);
