import { ListTenants, type Page, type Tenant } from '@tocsin/contracts';
import { selectTenants, tenantsAfter, withPipeline, withTenants } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewTenant } from './tenant-view.ts';

/** In the order of their ids. */
export const listTenants = verb('operator', async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Tenant>> => {
  const { limit, cursor } = parse(ListTenants, input.query, 'query');
  const afterId = idOfCursor(cursor);
  const ids = await withPipeline(ctx.db, (sql) => tenantsAfter(sql, afterId, limit + 1));
  const rows = ids.length === 0 ? [] : await withTenants(ctx.db, ids, (tx) => selectTenants(tx, ids));
  return pageOfRows(
    rows.map(({ tenantId, ...row }) => ({ id: tenantId, ...row })),
    limit,
    viewTenant,
  );
});
