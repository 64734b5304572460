import { type DrizzleTx, inboxKey, insertChannel, lockChannelKeys, newId, type InstalledPackRow } from '@tocsin/db';
import type { RuleSpec } from '@tocsin/domain';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';

type Notify = RuleSpec['notify'];

const INBOX = 'inbox';
const everything = (channel: string): Notify => [{ channel, minSeverity: 'info' }];

/**
 * Whom a pack's rules tell: the channels just chosen, else those chosen before that still exist, else the tenant's inbox, and nobody outside. Null
 * where there is no inbox yet.
 */
export async function packNotify(tx: DrizzleTx, tenantId: string, chosen: Notify | null, installed: InstalledPackRow | null) {
  if (chosen !== null) return chosen;
  const before = installed?.notify ?? [];
  const existing = new Set(
    await lockChannelKeys(
      tx,
      tenantId,
      before.map(({ channel }) => channel),
    ),
  );
  const left = before.filter(({ channel }) => existing.has(channel));
  if (left.length > 0) return left;
  const inbox = await inboxKey(tx, tenantId);
  return inbox === null ? null : everything(inbox);
}

/** Makes the tenant's first inbox channel. The caller holds the lock of the tenant's packs. */
export async function makeInbox(ctx: Context, tx: DrizzleTx): Promise<Notify> {
  const { tenantId, actor } = ctx;
  for (let number = 1; ; number += 1) {
    // A channel of another kind may have the name.
    const key = number === 1 ? INBOX : `${INBOX}-${number}`;
    const row = await insertChannel(tx, {
      tenantId,
      id: newId(),
      key,
      name: 'Inbox',
      kind: INBOX,
      config: {},
      secrets: null,
      enabled: true,
      actor,
    });
    if (row !== null) {
      await audit(tx, ctx, 'channel.created', row.id, { key, name: row.name, kind: INBOX });
      return everything(key);
    }
    // Somebody else may have made one just now.
    const made = await inboxKey(tx, tenantId);
    if (made !== null) return everything(made);
  }
}

/** What a dry run says where there is no inbox yet. */
export const INBOX_TO_BE = everything(INBOX);
