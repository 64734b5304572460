import type { MaintenanceWindow } from '@tocsin/contracts';
import { databaseNow, lockMaintenanceWindow, updateMaintenanceWindow, wakeWaiting } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { readWindowBody } from './read-window-body.ts';
import { viewMaintenanceWindow } from './window-view.ts';

interface Input {
  id: string;
  body: unknown;
  ifMatch: string | undefined;
}

/** Replaces a window. What it muted and does not mute any more is told. */
export const putMaintenanceWindow = verb(
  'maintenance:write',
  async ({ ctx, input }: { ctx: Context; input: Input }): Promise<MaintenanceWindow> => {
    const id = idFrom(input.id, 'maintenance window');
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      const before = await lockMaintenanceWindow(tx, tenantId, id);
      if (before === null) throw notFound('maintenance window');
      const settings = readWindowBody(input.body);
      requireVersion(input.ifMatch, before.version);
      const row = await updateMaintenanceWindow(tx, { ...settings, tenantId, id, actor });
      await wakeWaiting(tx, tenantId, [id]);
      const { name, timeZone, start, matchers } = settings;
      await audit(tx, ctx, 'maintenance_window.updated', id, { name, timeZone, start, matchers });
      return viewMaintenanceWindow(row, await databaseNow(tx));
    });
  },
);
