import type { RuleSpec } from '@tocsin/domain';
import { and, asc, eq, inArray, isNotNull, or, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type ChannelRow, channels } from '../tables/channels.ts';
import { type InstalledPackRow, installedPacks } from '../tables/packs.ts';
import { type RuleRow, rules } from '../tables/rules.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Keeps every other change to the tenant's packs waiting until the transaction ends. */
export async function lockPacks(tx: DrizzleTx, tenantId: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('tocsin.packs ' || ${tenantId}::text, 0))`);
}

export async function selectInstalledPacks(tx: DrizzleTx, tenantId: string): Promise<InstalledPackRow[]> {
  return tx.select().from(installedPacks).where(eq(installedPacks.tenantId, tenantId)).orderBy(asc(installedPacks.key));
}

export async function findInstalledPack(tx: DrizzleTx, tenantId: string, key: string): Promise<InstalledPackRow | null> {
  const [row] = await tx
    .select()
    .from(installedPacks)
    .where(and(eq(installedPacks.tenantId, tenantId), eq(installedPacks.key, key)));
  return row ?? null;
}

/** The digest of a pack as it is installed, by tenant; who does not have it is absent. */
export async function installedDigests(tx: DrizzleTx, tenantIds: readonly string[], key: string): Promise<Map<string, string>> {
  const rows = await tx
    .select({ tenantId: installedPacks.tenantId, digest: installedPacks.digest })
    .from(installedPacks)
    .where(and(inArray(installedPacks.tenantId, [...tenantIds]), eq(installedPacks.key, key)));
  return new Map(rows.map(({ tenantId, digest }) => [tenantId, digest]));
}

export async function saveInstalledPack(tx: DrizzleTx, pack: Omit<InstalledPackRow, 'installedAtMs'>): Promise<void> {
  const { digest, notify, gone, installedBy } = pack;
  await tx
    .insert(installedPacks)
    .values(pack)
    .onConflictDoUpdate({
      target: [installedPacks.tenantId, installedPacks.key],
      set: { digest, notify, gone, installedBy, installedAtMs: tocsinNow },
    });
}

export async function deleteInstalledPack(tx: DrizzleTx, tenantId: string, key: string): Promise<void> {
  await tx.delete(installedPacks).where(and(eq(installedPacks.tenantId, tenantId), eq(installedPacks.key, key)));
}

/** What people delete of a pack does not come again by itself. A channel's key is written `channel/<key>`. */
export async function noteGone(tx: DrizzleTx, tenantId: string, packKey: string, goneKey: string): Promise<void> {
  await tx
    .update(installedPacks)
    .set({ gone: sql`${installedPacks.gone} || jsonb_build_object(${goneKey}::text, 'deleted')` })
    .where(and(eq(installedPacks.tenantId, tenantId), eq(installedPacks.key, packKey)));
}

/** The tenant's rules of these keys or of any pack, in the order of their keys. */
export async function selectPackRules(tx: DrizzleTx, tenantId: string, keys: readonly string[]): Promise<RuleRow[]> {
  return tx
    .select()
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), or(isNotNull(rules.packKey), inArray(rules.key, [...keys]))))
    .orderBy(asc(rules.key));
}

/** The same of one pack, which nobody else changes until the transaction ends. */
export async function lockPackRules(tx: DrizzleTx, tenantId: string, packKey: string, keys: readonly string[] = []): Promise<RuleRow[]> {
  const wanted = keys.length === 0 ? eq(rules.packKey, packKey) : or(eq(rules.packKey, packKey), inArray(rules.key, [...keys]));
  return tx
    .select()
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), wanted))
    .orderBy(asc(rules.key))
    .for('update');
}

export interface RulePack {
  key: string;
  digest: string | null;
  notify: RuleSpec['notify'];
}

/** Notes what a rule came with; null: it is its tenant's own from now on. */
export async function setRulePack(tx: DrizzleTx, tenantId: string, ruleId: string, pack: RulePack | null): Promise<void> {
  await tx
    .update(rules)
    .set({ packKey: pack?.key ?? null, packDigest: pack?.digest ?? null, packNotify: pack?.notify ?? null })
    .where(and(eq(rules.tenantId, tenantId), eq(rules.id, ruleId)));
}

export async function setChannelPack(tx: DrizzleTx, tenantId: string, channelId: string, packKey: string, digest: string): Promise<void> {
  await tx
    .update(channels)
    .set({ packKey, packDigest: digest })
    .where(and(eq(channels.tenantId, tenantId), eq(channels.id, channelId)));
}

/** The key of the oldest inbox channel that is switched on; null: there is none. */
export async function inboxKey(tx: DrizzleTx, tenantId: string): Promise<string | null> {
  const [row] = await tx
    .select({ key: channels.key })
    .from(channels)
    .where(and(eq(channels.tenantId, tenantId), eq(channels.kind, 'inbox'), eq(channels.enabled, true)))
    .orderBy(asc(channels.id))
    .limit(1);
  return row?.key ?? null;
}

export async function lockChannelByKey(tx: DrizzleTx, tenantId: string, key: string): Promise<ChannelRow | null> {
  const [row] = await tx
    .select()
    .from(channels)
    .where(and(eq(channels.tenantId, tenantId), eq(channels.key, key)))
    .for('update');
  return row ?? null;
}
