import type { RunbookActionList } from '@tocsin/contracts';
import { selectRunbookActions, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { verb } from '../verb.ts';
import { viewRunbookAction } from './action-view.ts';

/** By key. */
export const listRunbookActions = verb('actions:read', async ({ ctx }: { ctx: Context; input: undefined }): Promise<RunbookActionList> => {
  const rows = await withTenant(ctx.db, ctx.tenantId, (tx) => selectRunbookActions(tx, ctx.tenantId));
  return { data: rows.map((row) => viewRunbookAction(ctx, row)) };
});
