import { deleteChannel, lockRunbookAction } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { keyFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';

/** Calls under way end dead. */
export const deleteRunbookAction = verb(
  'actions:write',
  async ({ ctx, input }: { ctx: Context; input: { key: string; ifMatch: string | undefined } }): Promise<void> => {
    const { tenantId } = ctx;
    return change(ctx, async (tx) => {
      const row = await lockRunbookAction(tx, { tenantId, key: keyFrom(input.key) });
      if (row === null) throw notFound('runbook action');
      requireVersion(input.ifMatch, row.action.version);
      // the action goes with the channel of its calls
      await deleteChannel(tx, tenantId, row.channel.id);
      await audit(tx, ctx, 'runbook_action.deleted', row.action.key, { name: row.action.name });
    });
  },
);
