import { databaseNow, endSilence as endRow, lockSilence, wakeWaiting } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';

/** Ends a silence now: what it muted and is still open is told. It stays to be read; one that is over stays as it was. */
export const endSilence = verb(
  'silences:write',
  async ({ ctx, input }: { ctx: Context; input: { id: string; ifMatch: string | undefined } }): Promise<void> => {
    const id = idFrom(input.id, 'silence');
    return change(ctx, async (tx) => {
      const row = await lockSilence(tx, ctx.tenantId, id);
      if (row === null) throw notFound('silence');
      requireVersion(input.ifMatch, row.version);
      if (row.endsAtMs <= (await databaseNow(tx))) return;
      await endRow(tx, ctx.tenantId, id, ctx.actor);
      await wakeWaiting(tx, ctx.tenantId, [id]);
      await audit(tx, ctx, 'silence.ended', id, { matchers: row.matchers });
    });
  },
);
