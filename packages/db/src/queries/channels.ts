import { actionChannelKey } from '@tocsin/domain';
import { and, desc, eq, inArray, lt, notLike, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type ChannelRow, channels } from '../tables/channels.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Not one that a runbook action's calls go through. */
const isShown = notLike(channels.key, actionChannelKey('%'));

export interface NewChannel extends Pick<ChannelRow, 'tenantId' | 'id' | 'key' | 'name' | 'kind' | 'config' | 'secrets' | 'enabled'> {
  /** Absent: none of its own. */
  fallback?: string | null;
  maxPerMinute?: number | null;
  grouping?: boolean;
  quietHours?: ChannelRow['quietHours'];
  digest?: ChannelRow['digest'];
  digestBelow?: ChannelRow['digestBelow'];
  actor: string;
}

/** Null: its key is taken. */
export async function insertChannel(tx: DrizzleTx, { actor, ...channel }: NewChannel): Promise<ChannelRow | null> {
  const [row] = await tx
    .insert(channels)
    .values({ ...channel, createdBy: actor, updatedBy: actor })
    .onConflictDoNothing({ target: [channels.tenantId, channels.key] })
    .returning();
  return row ?? null;
}

/** Writes what people may change, if the row still has the version it was read with. Null: it has not. */
export async function updateChannel(tx: DrizzleTx, changed: ChannelRow): Promise<ChannelRow | null> {
  const { name, config, secrets, enabled, disabledReason, fallback, formerSecretsUntilMs, updatedBy } = changed;
  const { maxPerMinute, grouping, quietHours, digest, digestBelow } = changed;
  const [row] = await tx
    .update(channels)
    .set({
      name,
      config,
      secrets,
      enabled,
      disabledReason,
      fallback,
      maxPerMinute,
      grouping,
      quietHours,
      digest,
      digestBelow,
      formerSecretsUntilMs,
      updatedBy,
      updatedAtMs: tocsinNow,
      version: sql`${channels.version} + 1`,
    })
    .where(and(eq(channels.tenantId, changed.tenantId), eq(channels.id, changed.id), eq(channels.version, changed.version)))
    .returning();
  return row ?? null;
}

export async function deleteChannel(tx: DrizzleTx, tenantId: string, id: string): Promise<void> {
  await tx.delete(channels).where(and(eq(channels.tenantId, tenantId), eq(channels.id, id)));
}

export async function findChannel(tx: DrizzleTx, tenantId: string, id: string): Promise<ChannelRow | null> {
  const [row] = await tx
    .select()
    .from(channels)
    .where(and(eq(channels.tenantId, tenantId), eq(channels.id, id), isShown));
  return row ?? null;
}

/** Keeps everybody else from changing the channel until the transaction ends. */
export async function lockChannel(tx: DrizzleTx, tenantId: string, id: string): Promise<ChannelRow | null> {
  const [row] = await tx
    .select()
    .from(channels)
    .where(and(eq(channels.tenantId, tenantId), eq(channels.id, id), isShown))
    .for('update');
  return row ?? null;
}

export interface ChannelFilter {
  /** Channels older than the one of this id; null: from the newest. */
  beforeId: string | null;
  limit: number;
  kind: string | null;
}

/** Newest first. */
export async function selectChannels(tx: DrizzleTx, tenantId: string, { beforeId, limit, kind }: ChannelFilter): Promise<ChannelRow[]> {
  const conditions = [
    eq(channels.tenantId, tenantId),
    isShown,
    beforeId === null ? undefined : lt(channels.id, beforeId),
    kind === null ? undefined : eq(channels.kind, kind),
  ];
  return tx
    .select()
    .from(channels)
    .where(and(...conditions))
    .orderBy(desc(channels.id))
    .limit(limit);
}

/** Those of `keys` that name a channel; none of these channels can be deleted until the transaction ends. */
export async function lockChannelKeys(tx: DrizzleTx, tenantId: string, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await tx
    .select({ key: channels.key })
    .from(channels)
    .where(and(eq(channels.tenantId, tenantId), inArray(channels.key, [...keys]), isShown))
    .orderBy(channels.key)
    .for('key share');
  return rows.map(({ key }) => key);
}

/** Up to 200 keys, for "Did you mean …?". */
export async function someChannelKeys(tx: DrizzleTx, tenantId: string): Promise<string[]> {
  const rows = await tx
    .select({ key: channels.key })
    .from(channels)
    .where(and(eq(channels.tenantId, tenantId), isShown))
    .orderBy(channels.key)
    .limit(200);
  return rows.map(({ key }) => key);
}
