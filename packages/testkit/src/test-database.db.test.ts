import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { makeTenant } from './make-tenant.ts';
import { testDatabase } from './test-database.ts';

describe('testDatabase', () => {
  it('gives each suite a database of its own and leaves none behind', async () => {
    const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
    const { tenantId } = await makeTenant(one.db);
    const admin = postgres(two.adminUrl, { max: 1 });
    expect(await admin`select from tocsin.tenants where tenant_id = ${tenantId}`).toHaveLength(0);

    const names = [one, two].map(({ adminUrl }) => new URL(adminUrl).pathname.slice(1));
    expect(await admin`select from pg_database where datname = any(${names}::text[])`).toHaveLength(2);
    await one.drop();
    expect(await admin`select from pg_database where datname = any(${names}::text[])`).toHaveLength(1);
    await admin.end();
    await two.drop();
  });

  it('is dropped though somebody is still connected', async () => {
    const test = await testDatabase();
    const stranger = postgres(test.adminUrl, { max: 1 });
    await stranger`select 1`;
    await test.drop();
    await expect(stranger`select 1`).rejects.toBeInstanceOf(Error);
    await stranger.end();
  });
});
