import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type ApiKeyRow, apiKeys } from '../tables/tenants.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** A key that is not revoked. */
export interface LiveApiKey extends Pick<ApiKeyRow, 'id' | 'role' | 'secretHash'> {
  /** Its last use was noted over a minute ago, or never. */
  isStale: boolean;
}

/** Null: there is no such key, or it is revoked. */
export async function findApiKey(tx: DrizzleTx, tenantId: string, secretHash: Buffer): Promise<LiveApiKey | null> {
  const [row] = await tx
    .select({
      id: apiKeys.id,
      role: apiKeys.role,
      secretHash: apiKeys.secretHash,
      isStale: sql<boolean>`coalesce(${apiKeys.lastUsedAtMs} < ${tocsinNow} - interval '1 minute', true)`,
    })
    .from(apiKeys)
    .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.secretHash, secretHash), sql`${apiKeys.revokedAtMs} is null`));
  return row ?? null;
}

export async function touchApiKey(tx: DrizzleTx, tenantId: string, id: string): Promise<void> {
  await tx
    .update(apiKeys)
    .set({ lastUsedAtMs: tocsinNow })
    .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.id, id)));
}

export type NewApiKey = Pick<ApiKeyRow, 'tenantId' | 'id' | 'name' | 'role' | 'secretHash' | 'lastFour'>;

export async function insertApiKey(tx: DrizzleTx, key: NewApiKey): Promise<ApiKeyRow> {
  const [row] = await tx.insert(apiKeys).values(key).returning();
  if (row === undefined) throw new Error('an inserted API key came back as no row');
  return row;
}

/** Newest first, revoked ones too. */
export async function selectApiKeys(
  tx: DrizzleTx,
  tenantId: string,
  { beforeId, limit }: { beforeId: string | null; limit: number },
): Promise<ApiKeyRow[]> {
  return tx
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.tenantId, tenantId), beforeId === null ? undefined : lt(apiKeys.id, beforeId)))
    .orderBy(desc(apiKeys.id))
    .limit(limit);
}

export async function revokeApiKey(tx: DrizzleTx, tenantId: string, id: string): Promise<'revoked' | 'was_revoked' | 'unknown'> {
  const [found] = await tx
    .select({ revokedAtMs: apiKeys.revokedAtMs })
    .from(apiKeys)
    .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.id, id)))
    .for('update');
  if (found === undefined) return 'unknown';
  if (found.revokedAtMs !== null) return 'was_revoked';
  await tx
    .update(apiKeys)
    .set({ revokedAtMs: tocsinNow })
    .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.id, id)));
  return 'revoked';
}
