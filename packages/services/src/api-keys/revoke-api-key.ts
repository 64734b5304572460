import { revokeApiKey as revokeRow } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';

/** Effective within a second in every process. Revoking twice is no error. */
export const revokeApiKey = verb('api-keys:write', async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<void> => {
  const id = idFrom(input.id, 'API key');
  return change(ctx, async (tx) => {
    const outcome = await revokeRow(tx, ctx.tenantId, id);
    if (outcome === 'unknown') throw notFound('API key');
    if (outcome === 'revoked') await audit(tx, ctx, 'api_key.revoked', id);
  });
});
