import type { Silence } from '@tocsin/contracts';
import { databaseNow, findSilence, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewSilence } from './silence-view.ts';

export const getSilence = verb('silences:read', async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<Silence> => {
  const id = idFrom(input.id, 'silence');
  return withTenant(ctx.db, ctx.tenantId, async (tx) => {
    const row = await findSilence(tx, ctx.tenantId, id);
    if (row === null) throw notFound('silence');
    return viewSilence(row, await databaseNow(tx));
  });
});
