import { type ApiKey, ListApiKeys, type Page } from '@tocsin/contracts';
import { selectApiKeys, tenantExists, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewApiKey } from './api-key-view.ts';

export const listApiKeys = verb(
  'api-keys:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<ApiKey>> => {
    const { limit, cursor } = parse(ListApiKeys, input.query, 'query');
    const beforeId = idOfCursor(cursor);
    return withTenant(ctx.db, ctx.tenantId, async (tx) => {
      if (!(await tenantExists(tx, ctx.tenantId))) throw notFound('tenant');
      return pageOfRows(await selectApiKeys(tx, ctx.tenantId, { beforeId, limit: limit + 1 }), limit, viewApiKey);
    });
  },
);
