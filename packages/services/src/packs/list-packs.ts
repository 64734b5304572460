import type { PackList } from '@tocsin/contracts';
import { selectInstalledPacks, selectPackRules, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { verb } from '../verb.ts';
import type { Pack } from './pack.ts';
import { viewPack } from './pack-view.ts';
import { packsOf } from './shipped-packs.ts';

/** All packs of the product, installed or not. */
export const listPacks = verb('rules:read', async ({ ctx }: { ctx: Context; input: undefined }): Promise<PackList> => {
  return { data: await viewPacks(ctx, packsOf(ctx)) };
});

export async function viewPacks({ db, tenantId }: Context, packs: readonly Pack[]): Promise<PackList['data']> {
  const keys = packs.flatMap(({ rules }) => rules.map(({ spec }) => spec.key));
  return withTenant(db, tenantId, async (tx) => {
    const installed = new Map((await selectInstalledPacks(tx, tenantId)).map((row) => [row.key, row]));
    const rows = await selectPackRules(tx, tenantId, keys);
    return packs.map((pack) => viewPack(pack, installed.get(pack.key) ?? null, rows));
  });
}
