import { type InboxCount, MarkInbox } from '@tocsin/contracts';
import { countUnread as count, markInbox, withTenant, type DrizzleTx } from '@tocsin/db';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';

const COUNTED_MAX = 1_000;

/** How many messages of the inbox nobody has read. */
export const countUnread = verb('inbox:read', ({ ctx }: { ctx: Context; input: undefined }): Promise<InboxCount> =>
  withTenant(ctx.db, ctx.tenantId, (tx) => countOf(tx, ctx.tenantId)),
);

type Marking = (call: { ctx: Context; input: { body: unknown } }) => Promise<InboxCount>;

const marking =
  (isRead: boolean): Marking =>
  async ({ ctx, input }) => {
    const { ids = [], upTo } = parse(MarkInbox, input.body);
    return change(ctx, async (tx) => {
      await markInbox(tx, ctx.tenantId, upTo === undefined ? { ids } : { upToId: upTo }, isRead);
      return countOf(tx, ctx.tenantId);
    });
  };

/** Marks messages as read for everybody of the tenant. An id that is not there, or read already, changes nothing. */
export const readInbox = verb('inbox:handle', marking(true));

/** Marks them as unread again. */
export const unreadInbox = verb('inbox:handle', marking(false));

async function countOf(tx: DrizzleTx, tenantId: string): Promise<InboxCount> {
  const unread = await count(tx, tenantId, COUNTED_MAX + 1);
  return { unread: Math.min(unread, COUNTED_MAX), isMore: unread > COUNTED_MAX };
}
