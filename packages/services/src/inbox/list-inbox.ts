import { type InboxMessage, ListInbox, type Page } from '@tocsin/contracts';
import { selectInbox, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { messageView } from './message-view.ts';

export const listInbox = verb(
  'inbox:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<InboxMessage>> => {
    const { limit, cursor, unread } = parse(ListInbox, input.query, 'query');
    const filter = { beforeId: idOfCursor(cursor), limit: limit + 1, unread: unread === undefined ? null : unread === 'true' };
    const rows = await withTenant(ctx.db, ctx.tenantId, (tx) => selectInbox(tx, ctx.tenantId, filter));
    return pageOfRows(rows, limit, messageView);
  },
);
