import { newId, withTenantsSql } from '@tocsin/db';
import { PERMISSIONS, ROLES } from '@tocsin/domain';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Actor, ADMIN_KEY, type Answer, type Method, openWorld, type World } from './open-world.ts';
import { ownOneOfEach } from './own-one-of-each.ts';

let world: World;
let acme: Actor;
let other: Actor;
let owned: Record<string, string>;

beforeAll(async () => {
  world = await openWorld();
  [acme, other] = [await world.tenant('Acme'), await world.tenant('Other')];
  owned = await ownOneOfEach(world, acme);
});
afterAll(() => world.close());

interface Route {
  method: Method;
  url: string;
  permission: string;
}

const routes = (): Route[] =>
  world.app
    .permissions()
    .flatMap(({ method, url, permission }) =>
      method.split(',').map((each) => ({ method: each as Method, url, permission: permission ?? '' })),
    )
    // Whoever comes without the scheduler's secret, or Slack's signature, is their doors' own test.
    .filter(({ permission }) => !['public', 'scheduler', 'signature'].includes(permission));

const filled = (url: string, ids: Record<string, string>): string =>
  url.replace(/([^/]+)\/:(\w+)/g, (_, noun: string) => `${noun}/${ids[noun] ?? newId()}`).replace('*', 'main.js');

/** Every row of both tenants, as one text; the last use of a key apart, which reading notes too. */
const everything = (): Promise<string> =>
  withTenantsSql(world.services.db, [acme.tenantId, other.tenantId], async (sql) => {
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_class c where relnamespace = 'tocsin'::regnamespace and relkind in ('r', 'p') and not relispartition
        and exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant_id') order by 1`;
    expect(tables.length).toBeGreaterThan(18);
    const rows = [];
    for (const { name } of tables)
      rows.push(await sql<{ row: string }[]>`select (to_jsonb(t) - 'last_used_at')::text as row from ${sql(name)} t order by 1`);
    return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
  });

/** What tells one answer from another, but for its request's id. */
const essence = ({ status, body, headers }: Answer): unknown => [
  status,
  { ...body, instance: '' },
  Object.entries(headers).filter(([name]) => !['x-request-id', 'date', 'content-length'].includes(name)),
];

async function revokedKey(): Promise<string> {
  const path = `/tenants/${acme.tenantId}/api-keys`;
  const { body } = await acme.ask('POST', path, { name: 'short', role: 'admin' });
  expect((await world.askWith(body.key)('GET', '/api/v1/rules')).status).toBe(200);
  await acme.ask('DELETE', `${path}/${body.id}`);
  await vi.waitFor(async () => expect((await world.askWith(body.key)('GET', '/api/v1/rules')).status).toBe(401), { timeout: 2_000 });
  return body.key as string;
}

test('no key that is none, wrong, revoked, too weak or of the wrong kind is let in anywhere, and nothing is written', async () => {
  const good = await acme.apiKey('admin');
  const strangers: (string | null)[] = [
    null,
    'x',
    await revokedKey(),
    good.replace(/.{4}$/, 'AAAA'),
    good.replace(acme.tenantId.replaceAll('-', ''), other.tenantId.replaceAll('-', '')),
    `${ADMIN_KEY}x`,
  ];
  const weaker = await Promise.all(ROLES.map(async (role) => ({ role, key: await acme.apiKey(role) })));
  const before = await everything();
  for (const { method, url, permission } of routes()) {
    for (const key of strangers) {
      const { status, text } = await world.askWith(key)(method, filled(url, owned), method === 'GET' ? undefined : {});
      expect(status, `${method} ${url} ${text}`).toBe(401);
    }
    for (const { role, key } of weaker) {
      const needed = permission === 'operator' ? undefined : PERMISSIONS[permission as keyof typeof PERMISSIONS];
      if (needed !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(needed)) continue;
      const { status } = await world.askWith(key)(method, filled(url, owned), method === 'GET' ? undefined : {});
      expect(status, `${method} ${url} as ${role}`).toBe(permission === 'operator' ? 401 : 403);
    }
  }
  expect(await everything()).toBe(before);
});

test("another tenant's id is answered like one that nobody has, word for word, and nothing is written", async () => {
  const ask = world.askWith(await other.apiKey('admin'));
  const before = await everything();
  const withIds = routes().filter(
    ({ url, permission }) => url.includes('/:') && permission !== 'operator' && !/by-key|\/packs\//.test(url),
  );
  expect(withIds.length).toBeGreaterThan(10);
  for (const { method, url } of withIds) {
    for (const body of method === 'GET' || method === 'DELETE' ? [undefined] : ['', { name: 'Mine' }, { enabled: false }]) {
      const theirs = await ask(method, filled(url, owned), body, { 'idempotency-key': newId() });
      const nobodys = await ask(method, filled(url, {}), body, { 'idempotency-key': newId() });
      expect(essence(theirs), `${method} ${url}`).toEqual(essence(nobodys));
      expect(theirs.status).toBeGreaterThanOrEqual(400);
    }
  }
  expect(await everything()).toBe(before);
});

test('a page can be turned with any cursor of any list by anybody, and shows nothing but their own', async () => {
  for (let made = 0; made < 3; made += 1) await acme.ask('POST', '/channels', { key: `more-${made}`, name: 'More', kind: 'inbox' });
  const cursors = [];
  for (const list of ['/channels', '/rules', `/tenants/${acme.tenantId}/api-keys`])
    cursors.push((await acme.ask('GET', `${list}?limit=1`)).body.nextCursor);
  for (const cursor of cursors.filter((each) => each !== null)) {
    for (const list of ['/rules', '/channels', '/alerts', '/deliveries', '/inbox']) {
      const { status, body } = await other.ask('GET', `${list}?cursor=${cursor}`);
      expect([status, body.data], list).toEqual([200, []]);
    }
  }
});
