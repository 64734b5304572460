import { PERMISSIONS, ROLES, type Role } from '@tocsin/domain';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApi } from '../src/build-api.ts';
import { type Actor, ADMIN_KEY, type Answer, type Ask, aRule, expectProblem, type Method, openWorld, type World } from './open-world.ts';
import { ownOneOfEach } from './own-one-of-each.ts';

let world: World;
let acme: Actor;
let other: Actor;
/** What Acme owns, by the parameter that names it in a path. */
let owned: Record<string, string>;

beforeAll(async () => {
  world = await openWorld();
  [acme, other] = [await world.tenant('Acme'), await world.tenant('Other')];
  owned = await ownOneOfEach(world, acme);
});
afterAll(() => world.close());

const UNKNOWN_ID = '0198c0de-0000-7000-8000-000000000000';

/** Paths of the API with their parameters filled with what Acme owns. */
function routesOfApi(): { method: Method; url: string; permission: string; path: string }[] {
  return world.app
    .permissions()
    .flatMap((route) => route.method.split(',').map((method) => ({ ...route, method })))
    .filter(({ url, method }) => url.startsWith('/api/v1/') && method !== 'HEAD')
    .map(({ method, url, permission }) => ({ method: method as Method, url, permission: permission ?? '', path: filled(url) }));
}

const filled = (url: string): string => url.replace(/([^/]+)\/:(\w+)/g, (_, noun: string) => `${noun}/${owned[noun] ?? UNKNOWN_ID}`);

const bodyFor = (method: Method, url: string): unknown =>
  method === 'POST' && /\/(enable|disable|uninstall|test|retry)$/.test(url)
    ? undefined
    : method === 'GET' || method === 'DELETE'
      ? undefined
      : {};

const ask = (by: Ask, { method, path, url }: { method: Method; path: string; url: string }): Promise<Answer> =>
  by(method, path, bodyFor(method, url));

describe('every route', () => {
  test('declares what its caller must be allowed', () => {
    const routes = world.app.permissions();
    expect(routes.filter(({ permission }) => permission === null)).toEqual([]);
    expect(routesOfApi().length).toBeGreaterThan(30);
    const open = routes.filter(({ permission }) => permission === 'public').map(({ url }) => url);
    expect([...new Set(open)].sort()).toEqual(['/', '/errors', '/errors/:code', '/healthz', '/links/:token', '/metrics', '/readyz']);
  });

  test('is on the page of the API, and nothing else is', () => {
    const page = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
    const rows = page.split('\n').filter((line) => /^\| `(GET|POST|PUT|PATCH|DELETE) /.test(line));
    const documented = rows.flatMap((row) =>
      [...row.matchAll(/`(GET|POST|PUT|PATCH|DELETE) ([^`?]+)/g)].map(([, method, path]) => `${method} ${path}`),
    );
    const withoutNames = (route: string): string => route.replace(/\{\w+\}|:\w+/g, '{}');
    const known = routesOfApi().map(({ method, url }) => `${method} ${url.slice('/api/v1'.length)}`);
    expect(documented.map(withoutNames).sort()).toEqual(known.map(withoutNames).sort());
  });

  test('without a permission fails the boot by name', async () => {
    await expect(openWorldWithOpenRoute()).rejects.toThrow('GET /open');
  });

  test('refuses a caller without a key, before it looks at anything else', async () => {
    for (const route of routesOfApi()) {
      if (route.permission === 'scheduler' || route.permission === 'signature') {
        const code = route.permission === 'scheduler' ? 'scheduler_secret_required' : 'slack_signature_required';
        expectProblem(await ask(world.askWith(null), route), code, 403);
        continue;
      }
      const problem = expectProblem(
        await ask(world.askWith(null), route),
        route.permission === 'operator' ? 'admin_key_required' : 'unauthenticated',
        401,
      );
      expect(problem.detail, route.url).toContain('There was no Authorization header.');
    }
  });

  test('refuses the weaker roles and tells which role is needed', async () => {
    const asks = new Map<Role, Ask>();
    for (const role of ROLES) asks.set(role, world.askWith(await acme.apiKey(role)));
    for (const route of routesOfApi().filter(({ permission }) => permission in PERMISSIONS)) {
      const needed = PERMISSIONS[route.permission as keyof typeof PERMISSIONS];
      for (const role of ROLES.slice(0, ROLES.indexOf(needed))) {
        const problem = expectProblem(await ask(asks.get(role) as Ask, route), 'forbidden', 403);
        expect(problem.detail).toBe(`This needs the role '${needed}'; the key has the role '${role}'.`);
      }
    }
  });

  test("of a tenant says 404 to another tenant's ids and changes nothing", async () => {
    const before = await Promise.all([
      acme.ask('GET', '/rules'),
      acme.ask('GET', '/channels'),
      acme.ask('GET', `/tenants/${acme.tenantId}/api-keys`),
    ]);
    const stranger = world.askWith(await other.apiKey('admin'));
    // A pack is the product's and the same for everybody; what is installed of it is tested beside packs.
    const withIds = routesOfApi().filter(
      ({ url, method, permission }) =>
        url.includes(':') && permission !== 'signature' && !url.includes('/packs/') && !(method === 'PUT' && url.includes('by-key')),
    );
    expect(withIds.length).toBeGreaterThan(15);
    for (const route of withIds) {
      expect(route.path, 'nothing is asked by an id that nobody has').not.toContain(UNKNOWN_ID);
      expectProblem(await ask(stranger, route), 'not_found', 404);
    }
    expectProblem(await other.ask('DELETE', `/tenants/${other.tenantId}/api-keys/${owned['api-keys']}`), 'not_found', 404);
    const after = await Promise.all([
      acme.ask('GET', '/rules'),
      acme.ask('GET', '/channels'),
      acme.ask('GET', `/tenants/${acme.tenantId}/api-keys`),
    ]);
    expect(after.map(({ text }) => text.replace(/"lastUsedAt":[^,]+/g, ''))).toEqual(
      before.map(({ text }) => text.replace(/"lastUsedAt":[^,]+/g, '')),
    );
  });

  test("takes another tenant's ids and keys in a body or a filter for names of nothing", async () => {
    const unknown = expectProblem(await other.ask('POST', '/rules', aRule({ notify: [{ channel: 'hook' }] })), 'invalid', 422);
    expect(unknown.errors?.[0]).toMatchObject({ pointer: '/notify/0/channel', code: 'unknown_channel' });
    expect((await other.ask('PUT', '/rules/by-key/slow', aRule({ name: 'Of Other' }))).status).toBe(201);
    expect((await acme.ask('GET', '/rules/by-key/slow')).body).toMatchObject({ id: owned['rules'], name: 'Slow calls' });
    for (const list of [
      `/alerts?ruleId=${owned['rules']}`,
      '/alerts?ruleKey=slow',
      `/deliveries?channelId=${owned['channels']}`,
      `/deliveries?alertId=${owned['alerts']}`,
      '/deliveries?channelKey=inbox',
    ]) {
      expect((await other.ask('GET', list)).body, list).toEqual({ data: [], nextCursor: null });
    }
  });

  test("lists nothing of another tenant's", async () => {
    const stranger = await world.tenant('Empty');
    for (const list of [
      '/rules',
      '/channels',
      '/alerts',
      '/deliveries',
      '/inbox',
      '/events',
      '/metrics',
      '/metrics/definitions',
      '/silences',
      '/maintenance-windows',
    ]) {
      expect((await stranger.ask('GET', list)).body.data, list).toEqual([]);
    }
  });

  test('answers an id that cannot be one like an id that is unknown', async () => {
    for (const id of ['1', 'null', '..%2f..', '%00', "';drop table rules;--", UNKNOWN_ID, '%F0%9F%92%A9']) {
      for (const noun of ['rules', 'channels', 'alerts', 'deliveries', 'silences', 'maintenance-windows']) {
        expectProblem(await acme.ask('GET', `/${noun}/${encodeURI(id)}`), 'not_found', 404);
      }
    }
  });

  test('takes the admin key for what is the operator’s and for nothing of a tenant', async () => {
    const operator = world.askWith(ADMIN_KEY);
    expect((await operator('GET', '/api/v1/tenants')).status).toBe(200);
    expect((await operator('GET', `/api/v1/tenants/${acme.tenantId}/api-keys`)).status).toBe(200);
    for (const route of routesOfApi().filter(({ permission, url }) => permission in PERMISSIONS && !url.startsWith('/api/v1/tenants'))) {
      expectProblem(await ask(operator, route), 'unauthenticated', 401);
    }
    for (const route of routesOfApi().filter(({ permission }) => permission === 'operator')) {
      expectProblem(await ask(world.askWith(await acme.apiKey('admin')), route), 'admin_key_required', 401);
    }
  });
});

async function openWorldWithOpenRoute(): Promise<void> {
  await buildApi({
    services: world.services,
    adminKey: ADMIN_KEY,
    dependencies: {},
    extend: (app) => void app.get('/open', async () => 'hello'),
  });
}
