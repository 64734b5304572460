import { recentInbox, withTenantsSql, type InboxRow } from '@tocsin/db';
import { AppError } from '../app-error.ts';
import type { Services } from '../context.ts';

const LOOK_EVERY_MS = 1_000;
/** Longer than a message can take from its creation to its commit. */
const LOOK_BACK_MS = 60_000;
/** Of a tenant: one with a flood of messages keeps no other's back. */
const LOOKED_AT = 500;
const LISTENERS_MAX = 1_000;
const LISTENERS_PER_TENANT = 20;

interface InboxListener {
  hear: (message: InboxRow) => void;
  end: () => void;
}

/** Tells listeners of messages as they come, with one look a second for all of them, and none while nobody listens. */
export interface InboxFeed {
  /** What is committed after `ready` is heard. Throws a 429 where too many listen already. */
  listen: (tenantId: string, listener: InboxListener) => { ready: Promise<void>; leave: () => void };
  /** Ends all listeners. */
  close: () => Promise<void>;
}

export function openInboxFeed({ db, clock, logger }: Pick<Services, 'db' | 'clock' | 'logger'>): InboxFeed {
  const listeners = new Map<InboxListener, string>();
  const known = new Map<string, Set<string>>();
  const closing = new AbortController();
  let looking: Promise<void> | null = null;
  let looked = Promise.withResolvers<void>();

  async function look(): Promise<void> {
    const tenantIds = [...new Set(listeners.values())];
    const rows = await withTenantsSql(db, tenantIds, (sql) => recentInbox(sql, tenantIds, LOOK_BACK_MS, LOOKED_AT));
    const byTenant = Map.groupBy(rows, ({ tenantId }) => tenantId);
    for (const tenantId of tenantIds) {
      const recent = byTenant.get(tenantId) ?? [];
      const before = known.get(tenantId);
      known.set(tenantId, new Set(recent.map(({ id }) => id)));
      // what was there before anybody listened is no news
      if (before === undefined) continue;
      for (const message of recent)
        if (!before.has(message.id)) for (const [listener, of] of listeners) if (of === tenantId) listener.hear(message);
    }
    for (const tenantId of known.keys()) if (!tenantIds.includes(tenantId)) known.delete(tenantId);
  }

  /** Once this tenant has been looked at; those who wait for it are told in rounds, as looks go by. */
  async function untilKnown(tenantId: string): Promise<void> {
    while (!known.has(tenantId) && !closing.signal.aborted) await looked.promise;
  }

  async function goOn(): Promise<void> {
    while (listeners.size > 0 && !closing.signal.aborted) {
      await look().catch((error: unknown) => logger.warn({ err: error }, 'the inboxes could not be looked at'));
      looked.resolve();
      looked = Promise.withResolvers<void>();
      await clock.sleep(LOOK_EVERY_MS, closing.signal);
    }
    looking = null;
    known.clear();
  }

  return {
    listen(tenantId, listener) {
      if (closing.signal.aborted) throw new AppError('unavailable', 'The server is stopping.', { retryAfterMs: LOOK_EVERY_MS });
      const ofTenant = [...listeners.values()].filter((each) => each === tenantId).length;
      if (ofTenant >= LISTENERS_PER_TENANT || listeners.size >= LISTENERS_MAX)
        throw new AppError('too_many_requests', 'Too many listen to the inbox already.', { retryAfterMs: 10_000 });
      listeners.set(listener, tenantId);
      looking ??= goOn();
      return { ready: untilKnown(tenantId), leave: () => void listeners.delete(listener) };
    },
    async close() {
      closing.abort();
      looked.resolve();
      for (const listener of listeners.keys()) listener.end();
      await looking;
    },
  };
}
