import { installedDigests, tenantsAfter, withPipeline, withTenants } from '@tocsin/db';
import { PLATFORM_TENANT_ID } from '@tocsin/domain';
import { AppError } from '../app-error.ts';
import type { Context, Services } from '../context.ts';
import { changeRule } from '../rules/save-rule.ts';
import { CONFIG_ACTOR, giveDefaults } from './give-defaults.ts';
import { CONFIG_PACK } from './read-pack.ts';
import type { Defaults } from './read-defaults.ts';

const TENANTS_AT_ONCE = 200;

/**
 * Gives every tenant, but for the installation's own, what the installation's file says, one transaction a tenant under the lock of its packs: of several processes that begin at once one does it,
 * and the others find it done. A tenant that has these defaults already costs a look. Answers how many did not; stops early when `signal` aborts.
 */
export async function applyDefaults(services: Services, defaults: Defaults, signal?: AbortSignal): Promise<number> {
  let given = 0;
  for (let afterId: string | null = null; ;) {
    const ids: string[] = await tenantsFrom(services, afterId);
    const digests = ids.length === 0 ? null : await withTenants(services.db, ids, (tx) => installedDigests(tx, ids, CONFIG_PACK));
    for (const tenantId of ids.filter((id) => id !== PLATFORM_TENANT_ID && digests?.get(id) !== defaults.digest)) {
      if (signal?.aborted === true) return given;
      if (await giveTo(services, tenantId, defaults)) given += 1;
    }
    afterId = ids.at(-1) ?? null;
    if (afterId === null || signal?.aborted === true) return given;
  }
}

const tenantsFrom = ({ db }: Services, afterId: string | null): Promise<string[]> =>
  withPipeline(db, (sql) => tenantsAfter(sql, afterId, TENANTS_AT_ONCE));

/** Whether it was given anything. */
async function giveTo(services: Services, tenantId: string, defaults: Defaults): Promise<boolean> {
  const ctx: Context = { ...services, tenantId, role: 'admin', actor: CONFIG_ACTOR, idempotency: null };
  try {
    return await changeRule(ctx, async (tx) => {
      const given = await giveDefaults(ctx, tx, defaults);
      return { output: given !== null, triggerIds: given?.triggerIds ?? [], needsHours: given?.needsHours ?? false };
    });
  } catch (error) {
    // Such as a tenant that has as many rules as it may have: the others are not to wait for it.
    if (!(error instanceof AppError)) throw error;
    services.logger.warn({ tenantId, code: error.code, detail: error.public }, 'the default rules do not fit a tenant');
    return false;
  }
}
