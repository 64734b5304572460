import { CreateTenant, type Tenant } from '@tocsin/contracts';
import { insertTenant, refreshSchedule } from '@tocsin/db';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { giveDefaults } from '../packs/give-defaults.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewTenant } from './tenant-view.ts';

/** The context's `tenantId` is the new tenant's id. */
export const createTenant = verb('operator', async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<Tenant> => {
  const { name, externalKey } = parse(CreateTenant, input.body);
  return change(ctx, async (tx) => {
    const row = await insertTenant(tx, { tenantId: ctx.tenantId, name, externalKey });
    if (row === null) throw new AppError('key_taken', `There is a tenant with the external key '${externalKey}' already.`);
    await refreshSchedule(tx, ctx.tenantId);
    await audit(tx, ctx, 'tenant.created', ctx.tenantId, { name, externalKey });
    if (ctx.defaults !== undefined) await giveDefaults(ctx, tx, ctx.defaults);
    return viewTenant({ ...row, id: row.tenantId });
  });
});
