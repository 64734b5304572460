import { asc, eq, inArray } from 'drizzle-orm';
import { type TenantRow, tenants } from '../tables/tenants.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Null: its external key, or its id, is taken, by whomever. */
export async function insertTenant(tx: DrizzleTx, tenant: Omit<TenantRow, 'createdAtMs'>): Promise<TenantRow | null> {
  const [row] = await tx.insert(tenants).values(tenant).onConflictDoNothing().returning();
  return row ?? null;
}

export async function tenantExists(tx: DrizzleTx, tenantId: string): Promise<boolean> {
  const rows = await tx.select({ id: tenants.tenantId }).from(tenants).where(eq(tenants.tenantId, tenantId));
  return rows.length > 0;
}

/** Those of `ids` the transaction may see, in the order of their ids. */
export async function selectTenants(tx: DrizzleTx, ids: readonly string[]): Promise<TenantRow[]> {
  return tx
    .select()
    .from(tenants)
    .where(inArray(tenants.tenantId, [...ids]))
    .orderBy(asc(tenants.tenantId));
}
