import { installedDigests, tenantExists, withTenant } from '@tocsin/db';
import { PLATFORM_KEY, PLATFORM_TENANT_ID } from '@tocsin/domain';
import type { Context, Services } from '../context.ts';
import { installPack } from '../packs/install-pack.ts';
import { packsOf, SELF_WATCH } from '../packs/shipped-packs.ts';
import { createTenant } from '../tenants/create-tenant.ts';

const ACTOR = 'platform';

/**
 * Makes the installation's own tenant where there is none, and gives it the rules that watch over the installation, or what is new in them; at first they
 * tell its inbox alone. What people changed, switched off or deleted there stays so. Rejects where another tenant has its external key.
 */
export async function ensurePlatform(services: Services): Promise<void> {
  const { defaults: _, ...rest } = services;
  const ctx: Context = { ...rest, tenantId: PLATFORM_TENANT_ID, role: 'operator', actor: ACTOR, idempotency: null };
  const isThere = await withTenant(ctx.db, PLATFORM_TENANT_ID, (tx) => tenantExists(tx, PLATFORM_TENANT_ID));
  if (!isThere) await createTenant({ ctx, input: { body: { name: 'Platform', externalKey: PLATFORM_KEY } } });
  const pack = packsOf(ctx).find(({ key }) => key === SELF_WATCH);
  const installed = await withTenant(ctx.db, PLATFORM_TENANT_ID, (tx) => installedDigests(tx, [PLATFORM_TENANT_ID], SELF_WATCH));
  if (pack === undefined || installed.get(PLATFORM_TENANT_ID) === pack.digest) return;
  await installPack({ ctx, input: { key: SELF_WATCH, query: {}, body: {} } });
}
