import { createHash, randomBytes } from 'node:crypto';
import { type Database, newId, withTenantsSql } from '@tocsin/db';
import { phaseOf } from '@tocsin/domain';

export interface TestTenant {
  tenantId: string;
  externalKey: string;
  /** Makes an API key of that role and answers its text. */
  apiKey: (role: 'viewer' | 'responder' | 'editor' | 'admin') => Promise<string>;
}

/** A tenant of one's own, with the schedule that every tenant has: nothing to evaluate yet. */
export async function makeTenant(
  db: Database,
  { name = 'Acme', tenantId = newId() }: { name?: string; tenantId?: string } = {},
): Promise<TestTenant> {
  const externalKey = `acme-${tenantId}`;
  await withTenantsSql(db, [tenantId], async (sql) => {
    await sql`insert into tenants (tenant_id, name, external_key) values (${tenantId}, ${name}, ${externalKey})`;
    await sql`insert into schedules (tenant_id, phase_ms) values (${tenantId}, ${phaseOf(tenantId)})`;
  });
  return {
    tenantId,
    externalKey,
    apiKey: async (role) => {
      const text = `tk_${tenantId.replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`;
      const secretHash = createHash('sha256').update(text).digest();
      await withTenantsSql(
        db,
        [tenantId],
        (sql) =>
          sql`insert into api_keys ${sql({ tenant_id: tenantId, id: newId(), name: role, role, secret_hash: secretHash, last_four: text.slice(-4) })}`,
      );
      return text;
    },
  };
}
