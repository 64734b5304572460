import { type Channel, ListChannels, type Page } from '@tocsin/contracts';
import { selectChannels, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewChannel } from './channel-view.ts';

export const listChannels = verb(
  'channels:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Channel>> => {
    const { limit, cursor, kind } = parse(ListChannels, input.query, 'query');
    const filter = { beforeId: idOfCursor(cursor), limit: limit + 1, kind: kind ?? null };
    const rows = await withTenant(ctx.db, ctx.tenantId, (tx) => selectChannels(tx, ctx.tenantId, filter));
    return pageOfRows(rows, limit, (row) => viewChannel(ctx, row));
  },
);
