import { CreateApiKey, type CreatedApiKey } from '@tocsin/contracts';
import { insertApiKey, newId, tenantExists } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewApiKey } from './api-key-view.ts';
import { hashOfKey, newKeyText } from './key-text.ts';

/** The answer alone holds the key; what is stored cannot be turned back into it. */
export const createApiKey = verb(
  'api-keys:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<CreatedApiKey> => {
    const { name, role } = parse(CreateApiKey, input.body);
    return change(ctx, async (tx) => {
      if (!(await tenantExists(tx, ctx.tenantId))) throw notFound('tenant');
      const key = newKeyText(ctx.tenantId);
      const row = await insertApiKey(tx, {
        tenantId: ctx.tenantId,
        id: newId(),
        name,
        role,
        secretHash: hashOfKey(key),
        lastFour: key.slice(-4),
      });
      await audit(tx, ctx, 'api_key.created', row.id, { name, role });
      return { ...viewApiKey(row), key };
    });
  },
);
