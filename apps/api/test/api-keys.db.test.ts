import { ApiKey, CreatedApiKey, pageOf, Tenant } from '@tocsin/contracts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Actor, ADMIN_KEY, type Ask, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let operator: Ask;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  operator = world.askWith(ADMIN_KEY);
  tenant = await world.tenant();
});
afterAll(() => world.close());

const get = (key: string) => world.askWith(key)('GET', '/api/v1/rules');

describe('API keys', () => {
  test('a tenant and its first key are made with the admin key alone', async () => {
    const made = await operator('POST', '/api/v1/tenants', { name: 'New', externalKey: 'new-1' });
    expect(made.status, made.text).toBe(201);
    const { id } = Tenant.parse(made.body);
    const created = await operator('POST', `/api/v1/tenants/${id}/api-keys`, { name: 'CI', role: 'editor' });
    expect(created.status).toBe(201);
    const { key, lastFour } = CreatedApiKey.parse(created.body);
    expect(key).toMatch(new RegExp(`^tk_${id.replaceAll('-', '')}_[A-Za-z0-9_-]{43}$`));
    expect(key.slice(-4)).toBe(lastFour);
    expect((await get(key)).status).toBe(200);
    expect((await world.askWith(key)('GET', '/api/v1/schedule')).body).toMatchObject({ every: '1m', nextSlotAt: null });
    expectProblem(await operator('POST', '/api/v1/tenants', { name: 'Twin', externalKey: 'new-1' }), 'key_taken', 409);
    expectProblem(
      await operator('POST', `/api/v1/tenants/0198c0de-0000-7000-8000-000000000000/api-keys`, { name: 'CI', role: 'editor' }),
      'not_found',
      404,
    );
  });

  test('the key is shown once and stored as a hash', async () => {
    const path = `/tenants/${tenant.tenantId}/api-keys`;
    const { body } = await tenant.ask('POST', path, { name: 'once', role: 'viewer' });
    const listed = await tenant.ask('GET', path);
    expect(
      pageOf(ApiKey)
        .parse(listed.body)
        .data.map(({ id }) => id),
    ).toContain(body.id);
    expect(listed.text).not.toContain(body.key);
    const { sql } = world.services.db;
    const rows = await sql.begin(async (tx) => {
      await tx`select set_config('app.tenant_ids', ${tenant.tenantId}, true)`;
      return tx<{ text: string }[]>`select to_jsonb(api_keys)::text as text from api_keys`;
    });
    expect(rows.some(({ text }) => text.includes(body.key.slice(-43)))).toBe(false);
  });

  test('a revoked key is refused within a second, by a process that has just let it in too', async () => {
    const { body } = await tenant.ask('POST', `/tenants/${tenant.tenantId}/api-keys`, { name: 'short', role: 'viewer' });
    expect((await get(body.key)).status).toBe(200);
    expect((await tenant.ask('DELETE', `/tenants/${tenant.tenantId}/api-keys/${body.id}`)).status).toBe(204);
    await vi.waitFor(async () => expectProblem(await get(body.key), 'unauthenticated', 401), { timeout: 1_000, interval: 50 });
    expect((await tenant.ask('DELETE', `/tenants/${tenant.tenantId}/api-keys/${body.id}`)).status).toBe(204);
  });

  test('its last use is noted', async () => {
    const { body } = await tenant.ask('POST', `/tenants/${tenant.tenantId}/api-keys`, { name: 'used', role: 'viewer' });
    expect(body.lastUsedAt).toBe(null);
    await get(body.key);
    const listed = await tenant.ask('GET', `/tenants/${tenant.tenantId}/api-keys`);
    expect(listed.body.data.find(({ id }: ApiKey) => id === body.id).lastUsedAt).not.toBe(null);
  });

  test('what is no key of ours is a 401 that says which kind is needed', async () => {
    const good = await tenant.apiKey('viewer');
    const stranger = await world.tenant();
    const wrong = [
      '',
      'x',
      'tk_',
      'tk__',
      good.slice(0, -1),
      `${good}x`,
      good.toUpperCase(),
      good.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      good.replace(tenant.tenantId.replaceAll('-', ''), stranger.tenantId.replaceAll('-', '')),
      `tk_${'0'.repeat(32)}_${'A'.repeat(43)}`,
      `tk_${'é'.repeat(32)}_${'💩'.repeat(20)}`,
      'k'.repeat(1_000_000),
      `${good},${good}`,
      `${good}\u0000`,
      '../../etc/passwd',
      "' or 1=1 --",
    ];
    for (const key of wrong) {
      const problem = expectProblem(await get(key), 'unauthenticated', 401);
      expect(problem.detail).toContain('tk_');
    }
    for (const authorization of ['Basic eDp5', `Token ${good}`, good, `Bearer  `, `Bearer ${good} extra`]) {
      expectProblem(await world.askWith(null)('GET', '/api/v1/rules', undefined, { authorization }), 'unauthenticated', 401);
    }
    expectProblem(
      await world.askWith(null)('GET', `/api/v1/rules?key=${good}&apiKey=${good}&access_token=${good}`),
      'unauthenticated',
      401,
    );
  });

  test('an almost right admin key is refused like any other', async () => {
    for (const key of ['', ADMIN_KEY.slice(0, -1), `${ADMIN_KEY}x`, await tenant.apiKey('admin')]) {
      expectProblem(await world.askWith(key)('GET', '/api/v1/tenants'), 'admin_key_required', 401);
    }
  });

  test('tenants are listed in pages', async () => {
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await operator('GET', `/api/v1/tenants?limit=2${cursor}`);
      const page = pageOf(Tenant).parse(body);
      seen.push(...page.data.map(({ id }) => id));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(2);
  });
});
