import { deleteMaintenanceWindow as deleteRow, lockMaintenanceWindow, wakeWaiting } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';

/** What it muted and is still open is told. */
export const deleteMaintenanceWindow = verb(
  'maintenance:write',
  async ({ ctx, input }: { ctx: Context; input: { id: string; ifMatch: string | undefined } }): Promise<void> => {
    const id = idFrom(input.id, 'maintenance window');
    return change(ctx, async (tx) => {
      const row = await lockMaintenanceWindow(tx, ctx.tenantId, id);
      if (row === null) throw notFound('maintenance window');
      requireVersion(input.ifMatch, row.version);
      await deleteRow(tx, ctx.tenantId, id);
      await wakeWaiting(tx, ctx.tenantId, [id]);
      await audit(tx, ctx, 'maintenance_window.deleted', id, { name: row.name });
    });
  },
);
