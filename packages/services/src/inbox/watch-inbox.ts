import { WatchInbox } from '@tocsin/contracts';
import { inboxSince, withTenant, type InboxRow } from '@tocsin/db';
import type { Context } from '../context.ts';
import { EventStream, type EventSink } from '../event-stream.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import type { InboxFeed } from './inbox-feed.ts';
import { messageView } from './message-view.ts';

/** Whoever listens is asked to come again, so that nobody goes on for ever with a key that was taken away. */
const LASTS_MS = 600_000;
/** Messages are not committed in the order of their times. */
const MARGIN_MS = 60_000;
const CAUGHT_UP_MAX = 500;

interface Input {
  feed: InboxFeed;
  query: unknown;
  /** The message that was heard last; absent: none. */
  lastId: string | undefined;
}

/**
 * Messages of the inbox as they come: events `message`, each under the message's id. Whoever says what it heard last first hears what it has missed, up to
 * 500, and perhaps something of the minute before once more.
 */
export const watchInbox = verb('inbox:read', async ({ ctx, input: { feed, query, lastId } }: { ctx: Context; input: Input }) => {
  const { db, tenantId } = ctx;
  parse(WatchInbox, query, 'query');
  const last = lastId === undefined ? null : idFrom(lastId, 'message');
  const waiting: Omit<InboxRow, 'tenantId'>[] = [];
  const caughtUp = new Set<string>();
  let sink: EventSink | null = null;
  const tell = (row: Omit<InboxRow, 'tenantId'>): void => {
    if (sink === null) waiting.push(row);
    else if (!sink.send('message', row.id, messageView(row))) sink.end();
  };
  const { ready, leave } = feed.listen(tenantId, { hear: (row) => void (caughtUp.has(row.id) || tell(row)), end: () => sink?.end() });
  try {
    await ready;
    const missed =
      last === null
        ? []
        : await withTenant(db, tenantId, (tx) => inboxSince(tx, tenantId, last, { marginMs: MARGIN_MS, limit: CAUGHT_UP_MAX }));
    for (const { id } of missed) caughtUp.add(id);
    waiting.unshift(...missed, ...waiting.splice(0).filter(({ id }) => !caughtUp.has(id)));
  } catch (error) {
    leave();
    throw error;
  }
  return new EventStream((listener) => {
    sink = listener;
    for (const row of waiting.splice(0)) tell(row);
    const timer = setTimeout(listener.end, LASTS_MS);
    return () => {
      clearTimeout(timer);
      leave();
    };
  });
});
